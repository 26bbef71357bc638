"""F5: descriptions, answers and packets made by a grammar and then broken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.plugin import FaultReport

ROOT = Path(__file__).parents[3]
MOST_MB = 400


def opened(seed: int, count: int, transport: str, timeout_s: float) -> dict[str, object]:
    """Open so many nonsensical cameras in a process that may die, and return what it says at its end."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.faults.fuzzing", str(seed), str(count), transport],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-2000:]}"
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


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
    said = opened(fault_seed, count, transport, timeout_s=120 + count * 0.7)

    fault_report.note(
        f"{count} nonsensical cameras over {transport}: {said['ends']}, {said['peak_mb']:.0f} MB"
    )
    assert isinstance(said["peak_mb"], float)
    assert said["peak_mb"] < MOST_MB
