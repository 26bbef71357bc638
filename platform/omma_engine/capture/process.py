"""What a capture process asks of the kernel and the C library. Linux only; elsewhere it does nothing."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 64 * 1024


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


def use_one_arena() -> None:
    """Keep all threads' small allocations in one heap, and give large ones back to the kernel at once.

    A heap per thread costs each child megabytes. Keyframes and fragments come and go; left to itself, glibc
    keeps the room for the largest that there ever were.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
            mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
            mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def is_orphan(parent: int) -> bool:
    """Return whether the process that started this one is gone."""
    return os.getppid() != parent
