"""Become another program that dies with its parent: `launch.py PARENT SIGNAL UID:GID|- PROGRAM ARGUMENTS…`.

Run by path with the bare interpreter, so it imports the standard library only. A wrapper and not
`preexec_fn`, because code between fork and exec is unsafe as soon as the parent has a second thread.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def die_with_parent(parent_pid: int, death_signal: int) -> None:
    """Ask for a signal when the parent ends. Linux only; elsewhere the parent has to stop its children."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:  # the parent ended before the request took hold
        sys.exit(1)


def become(user_id: int, group_id: int) -> None:
    """Drop root for good, keeping only the right to read and to pass through folders of others."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
    if libc is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(group_id, group_id, group_id)
    os.setresuid(user_id, user_id, user_id)
    if libc is not None:
        keep_reading(libc)


def keep_reading(libc: ctypes.CDLL) -> None:
    """Make CAP_DAC_READ_SEARCH survive exec; where a container forbids it, paths must be readable anyway."""
    bit = 1 << CAP_DAC_READ_SEARCH
    for wanted in (bit, 0):
        header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
        data = (_CapabilityData * 2)(_CapabilityData(wanted, wanted, wanted), _CapabilityData(0, 0, 0))
        if libc.capset(ctypes.byref(header), data) == 0:
            break
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)


def main(arguments: list[str]) -> None:
    """Take on the identity, ask for the signal (a change of identity would clear it), and exec."""
    parent_pid, death_signal, identity, program = arguments[0], arguments[1], arguments[2], arguments[3:]
    if identity != "-":
        user_id, group_id = identity.split(":")
        become(int(user_id), int(group_id))
    die_with_parent(int(parent_pid), int(death_signal))
    try:
        os.execv(program[0], program)  # noqa: S606 - the whole point: become the program, no shell
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
