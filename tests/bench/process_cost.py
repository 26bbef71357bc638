"""What processes cost: processor time and memory over an interval, read from /proc."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessCost:
    """The cost of a set of processes: `cpu_share` in cores (1.0 is one core, user and system together).

    `pss_bytes` is the sum of the proportional set sizes at the end: shared pages count once over all.
    """

    seconds: float
    cpu_share: float
    user_s: float
    system_s: float
    pss_bytes: int
    processes: int


@dataclass(frozen=True, slots=True)
class _Times:
    user_s: float
    system_s: float
    parent: int
    started_ticks: int


def measure(
    roots: Iterable[int], seconds: float, *, wait: Callable[[float], None] = time.sleep
) -> ProcessCost:
    """Measure the processes `roots` and all below them, for `seconds`.

    A process that begins in between counts from its beginning. One that ends in between counts only by what
    its parent collected (its children's times), which Linux adds when the parent waits for it.
    Raises `ProcessLookupError` when none of the roots lives.
    """
    wanted = set(roots)
    before, began_s = _family(wanted), time.monotonic()
    if not before:
        raise ProcessLookupError(f"none of the processes {sorted(wanted)} lives")
    wait(seconds)
    after, elapsed_s = _family(wanted), time.monotonic() - began_s
    user_s = system_s = 0.0
    for pid, now in after.items():
        then = before.get(pid)
        is_same = then is not None and then.started_ticks == now.started_ticks
        user_s += now.user_s - (then.user_s if then is not None and is_same else 0.0)
        system_s += now.system_s - (then.system_s if then is not None and is_same else 0.0)
    pss_bytes = sum(proportional_bytes(pid) for pid in after)
    return ProcessCost(elapsed_s, (user_s + system_s) / elapsed_s, user_s, system_s, pss_bytes, len(after))


def family_of(roots: Iterable[int]) -> set[int]:
    """Return the living processes among `roots` and all their descendants."""
    return set(_family(set(roots)))


def proportional_bytes(pid: int) -> int:
    """Return a process's proportional set size; 0 when it has ended."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _family(roots: set[int]) -> dict[int, _Times]:
    everyone = _everyone()
    members = roots & everyone.keys()
    children: dict[int, list[int]] = {}
    for pid, times in everyone.items():
        children.setdefault(times.parent, []).append(pid)
    waiting = list(members)
    while waiting:
        below = [pid for pid in children.get(waiting.pop(), []) if pid not in members]
        members.update(below)
        waiting += below
    return {pid: everyone[pid] for pid in members}


def _everyone() -> dict[int, _Times]:
    found = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            times = _times_of(entry)
            if times is not None:
                found[int(entry.name)] = times
    return found


def _times_of(entry: Path) -> _Times | None:
    """Read `stat` (proc(5)); the name in brackets may hold anything, so fields are counted after it."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    user, system, children_user, children_system = (
        int(fields[index]) / _TICKS_PER_S for index in range(11, 15)
    )
    return _Times(user + children_user, system + children_system, int(fields[1]), int(fields[19]))
