"""F5: descriptions, answers and packets made by a grammar and then broken."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.plugin import FaultReport

ROOT = Path(__file__).parents[3]
MOST_MB = 400
SIDE_BY_SIDE = 10  # nonsense is mostly waited for


@dataclass(frozen=True, slots=True)
class Came:
    """What openings came to: how they ended, and the most memory that one process had."""

    ends: dict[str, int]
    peak_mb: float
    took_s: float


def opened(seed: int, count: int, transport: str, timeout_s: float) -> Came:
    """Open so many nonsensical cameras in processes that may die, and return what those say at their end."""
    began_s, processes = time.monotonic(), min(SIDE_BY_SIDE, max(1, count // 10))
    program = [sys.executable, "-m", "tests.engine.faults.fuzzing"]
    running = {
        one: subprocess.Popen(
            [*program, str(one), str(count // processes), transport],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for one in range(seed, seed + processes)
    }  # fmt: skip
    ends: Counter[str] = Counter()
    peak_mb = 0.0
    try:
        for one, process in running.items():
            said, complaint = process.communicate(timeout=max(1.0, began_s + timeout_s - time.monotonic()))
            assert process.returncode == 0, f"seed {one}: status {process.returncode}: {complaint[-2000:]}"
            answer = json.loads(said)
            ends.update(answer["ends"])
            peak_mb = max(peak_mb, answer["peak_mb"])
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
    return Came(dict(ends), peak_mb, time.monotonic() - began_s)


@pytest.mark.fault("F5")
@pytest.mark.parametrize(
    ("count", "transport"),
    [
        (20, "tcp"),
        pytest.param(1000, "tcp", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
        pytest.param(1000, "udp", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_nonsense_ends_in_an_error_of_ours_and_in_bounded_memory(
    count: int, transport: str, fault_seed: int, fault_report: FaultReport
) -> None:
    came = opened(fault_seed, count, transport, timeout_s=120 + count * 0.7)

    fault_report.note(
        f"{count} nonsensical cameras over {transport} in {came.took_s:.0f} s: {came.ends}, "
        f"{came.peak_mb:.0f} MB"
    )
    assert sum(came.ends.values()) == count
    assert came.peak_mb < MOST_MB
