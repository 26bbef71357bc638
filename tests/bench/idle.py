"""What Omma costs with no camera, and how long it takes to start and to stop."""

import tempfile
import time
from pathlib import Path

from tests.bench.process_cost import ProcessCost, family_of
from tests.bench.process_cost import measure as cost_of
from tests.bench.report import Row
from tests.e2e.running import RunningOmma

STOP_GOAL_S = 10.0
_SETTLE_S = 15.0
_WINDOW_S = 20.0
_MB = 1e6


def measure() -> list[Row]:
    """Start on an empty data folder, let it be idle, stop it, and start and stop it again."""
    with tempfile.TemporaryDirectory(prefix="omma-bench-") as folder:
        running = RunningOmma(data_dir=Path(folder) / "data")
        first_s = _started_s(running)
        try:
            time.sleep(_SETTLE_S)
            cost = cost_of([running.process.pid], _WINDOW_S)
            members = _members(running.process.pid, cost)
        finally:
            first_stop_s = running.stop()
        again = RunningOmma(data_dir=Path(folder) / "data")
        second_s = _started_s(again)
        second_stop_s = again.stop()
    return [
        Row("start, data folder empty", first_s, "s", note="until a browser can log in"),
        Row("start, the second time", second_s, "s"),
        Row("stop", max(first_stop_s, second_stop_s), "s", STOP_GOAL_S, note="the slower of two"),
        Row(
            "idle: CPU",
            100 * cost.cpu_share,
            "% of a core",
            note="the whole tree with its servers, no camera",
        ),
        Row("idle: memory", cost.pss_bytes / _MB, "MB", note=f"PSS of {cost.processes} processes"),
        *members,
    ]


def _started_s(running: RunningOmma) -> float:
    began_s = time.monotonic()
    running.start()
    return time.monotonic() - began_s


def _members(root: int, cost: ProcessCost) -> list[Row]:
    """Return the share of each member of the tree, the largest first."""
    parts = {pid: cost.only(family_of([pid])) for pid in _children_of(root)}
    parts[root] = cost.only({root})
    rows = [
        Row(
            f"idle: {_name_of(pid, root)}",
            part.pss_bytes / _MB,
            "MB",
            note=f"{100 * part.cpu_share:.2f} % of a core",
        )
        for pid, part in parts.items()
    ]
    return sorted(rows, key=lambda row: -(row.value or 0))


def _children_of(root: int) -> list[int]:
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return [int(pid) for pid in children]


def _name_of(pid: int, root: int) -> str:
    """Name a member as people know it, from its command line."""
    if pid == root:
        return "the tree itself"
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "worker" in words:
        return f"worker {words[words.index('-n') + 1].partition('@')[0]}"
    if "beat" in words:
        return "beat"
    if "omma.web" in words:
        return "web"
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    return f"{name} {Path(words[0]).stem}" if words[0].endswith(".sock") else name
