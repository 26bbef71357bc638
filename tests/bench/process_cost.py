"""What processes cost: processor time and memory over an interval, read from /proc."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class OneProcess:
    """What one process took: its times, and its proportional set size at the end."""

    user_s: float
    system_s: float
    pss_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessCost:
    """The cost of a set of processes over `seconds`, by process and together.

    The sum of proportional set sizes counts shared pages once over all.
    """

    seconds: float
    by_pid: Mapping[int, OneProcess]

    @property
    def cpu_share(self) -> float:
        """Cores: 1.0 is one core, user and system together."""
        return (self.user_s + self.system_s) / self.seconds

    @property
    def user_s(self) -> float:
        return sum(each.user_s for each in self.by_pid.values())

    @property
    def system_s(self) -> float:
        return sum(each.system_s for each in self.by_pid.values())

    @property
    def pss_bytes(self) -> int:
        return sum(each.pss_bytes for each in self.by_pid.values())

    @property
    def processes(self) -> int:
        return len(self.by_pid)

    def only(self, pids: Collection[int]) -> "ProcessCost":
        """Return the part of these processes."""
        return ProcessCost(self.seconds, {pid: each for pid, each in self.by_pid.items() if pid in pids})


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
    by_pid = {}
    for pid, now in after.items():
        then = before.get(pid)
        if then is None or then.started_ticks != now.started_ticks:
            then = _Times(0.0, 0.0, 0, 0)
        by_pid[pid] = OneProcess(
            now.user_s - then.user_s, now.system_s - then.system_s, proportional_bytes(pid)
        )
    return ProcessCost(elapsed_s, by_pid)


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
