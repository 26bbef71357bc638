"""Retention over a million segments: what its decision costs the database, and how much memory.

OMMA_BENCH_RETENTION_ROWS says about how many segments there are. The archive is one that retention has been
keeping: two days of everything, seven of what moved, ninety of what was recorded, which is a third of the
time. With OMMA_BENCH_RETAINED, a folder, it stays there and later runs look at it again. The plans of the
statements are written to build/plans.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from omma.tree.environment import python
from tests.bench.house import House
from tests.bench.report import Row, load_now

KEPT = os.environ.get("OMMA_BENCH_RETAINED")
ROWS = int(os.environ.get("OMMA_BENCH_RETENTION_ROWS") or 1_000_000)
GOAL_MS = 1000.0
_TIMEOUT_S = 840


def measure() -> list[Row]:
    """Return what runs of retention cost, in milliseconds of the database and megabytes of memory."""
    with House((), kept=Path(KEPT) if KEPT else None, is_durable=False) as house:
        noted = house.data_dir / "retained.json"
        if not noted.exists():
            noted.write_bytes(_said(house, "tests.bench.archive.retained", str(ROWS)))
        found: dict[str, Any] = json.loads(_said(house, "tests.bench.retention_runs", str(noted)))
    longest, minute = found["longest"], found["minute"]
    return [
        Row("every minute, decision", minute["ms"], "ms", GOAL_MS, _cost(minute)),
        Row(
            "everything is due, longest run, decision",
            longest["ms"],
            "ms",
            GOAL_MS,
            f"{_cost(longest)}; as where a policy changed: {found['runs']} runs for {found['hours']} hours, "
            f"{found['whole_ms']:.0f} ms ({found['whole_cpu_ms']:.0f} ms of CPU) in all",
        ),
        Row("everything is due, run", found["run_s"], "s", note="with Python, sums, room and deleting"),
        Row("sums of all bytes", found["sums_ms"], "ms", note="database time"),
        Row("oldest to make room", found["oldest_ms"], "ms", note="database time, 1000 segments of a volume"),
        Row("memory that a run adds", found["peak_mb"], "MB", 50.0, "the most that Python held, traced"),
        Row(
            "archive",
            found["segments"],
            "segments",
            note=f"{found['recordings']:,} recordings; {load_now()}",
        ),
    ]


def _cost(run: dict[str, Any]) -> str:
    return (
        f"{run['statements']} statements ({run['cpu_ms']:.0f} ms of CPU) over {run['hours']} "
        f"hours, {run['doomed']} segments chosen"
    )


def _said(house: House, module: str, argument: str) -> bytes:
    """Run a module against the house and return the last line it printed."""
    command = python("-m", module, argument)
    done = subprocess.run(
        command, env=house.environment, stdout=subprocess.PIPE, timeout=_TIMEOUT_S, check=True
    )
    return done.stdout.splitlines()[-1]
