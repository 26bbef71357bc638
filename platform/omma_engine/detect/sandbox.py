"""What a process gives up before it touches a file that came from elsewhere."""

import ctypes
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000  # unshare(2)
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a sandboxed process; None leaves a bound as it is."""

    cpu_s: int | None = None
    memory_bytes: int | None = None
    file_bytes: int | None = None
    open_files: int | None = None


def give_up(limits: Limits, *, dies_with_parent: bool = True) -> None:
    """Take the limits, and leave the network where the system lets a process do so.

    Where namespaces are forbidden, the process keeps the network and uses none.
    """
    wanted = (
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, limit in wanted:
        if limit is not None:
            resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if dies_with_parent:
            libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def ultralytics_environment(home: Path) -> dict[str, str]:
    """Return the environment in which Ultralytics fetches nothing, installs nothing and writes to `home`."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "YOLO_CONFIG_DIR": str(home),
        "MPLCONFIGDIR": str(home),
        "TORCHINDUCTOR_CACHE_DIR": str(home),
        "YOLO_OFFLINE": "True",
        "YOLO_AUTOINSTALL": "False",
        "YOLO_VERBOSE": "False",
        "WANDB_MODE": "disabled",
    }
