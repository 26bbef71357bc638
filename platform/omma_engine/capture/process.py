"""What a capture process asks of the kernel and the C library. Linux only; elsewhere it does nothing."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with_parent() -> None:
    """Ask for SIGKILL when the thread that started this process ends.

    Whoever calls this must look at its line to the parent afterwards: a parent that was gone before is not
    told.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def name_process(name: str) -> None:
    """Set the name that `ps` and `top` show, at most 15 characters."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15])


def is_orphan(parent: int) -> bool:
    """Return whether the process that started this one is gone."""
    return os.getppid() != parent
