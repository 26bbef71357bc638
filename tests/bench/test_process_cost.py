"""The cost of processes is what they really used."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.bench.process_cost import family_of, measure, proportional_bytes

BURN = """
import sys, time
print("ready", flush=True)
sys.stdin.readline()
while time.process_time() < 0.4:
    pass
print("burnt", flush=True)
sys.stdin.readline()
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"


@pytest.fixture
def burner() -> Iterator[subprocess.Popen[str]]:
    """A parent whose child uses the processor when told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(10)


def burn(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "burnt\n"


def test_the_processor_time_of_children_is_counted(burner: subprocess.Popen[str]) -> None:
    cost = measure([burner.pid], 0, wait=lambda _: burn(burner))

    assert 0.3 < cost.user_s + cost.system_s < 0.6
    assert cost.cpu_share == pytest.approx((cost.user_s + cost.system_s) / cost.seconds)
    assert cost.processes == 2
    assert cost.pss_bytes > 1_000_000


def test_the_family_are_the_process_and_its_children(burner: subprocess.Popen[str]) -> None:
    assert len(family_of([burner.pid])) == 2
    assert {os.getpid(), *family_of([burner.pid])} <= family_of([os.getpid()])


def test_processes_that_are_gone_cost_nothing_and_say_so(burner: subprocess.Popen[str]) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(10)

    assert proportional_bytes(process.pid) == 0
    with pytest.raises(ProcessLookupError, match="none of the processes"):
        measure([process.pid], 0)
