"""Disks that are slow, fail to sync, or lose their power: what was promised is there, the rest explained."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.power_cuts import cut_in_own_namespace
from tests.faults.plugin import FaultReport
from tests.faults.recorded import CAMERA, recorded_farm, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MOST_BYTES = 24 * 1024 * 1024  # what may wait in a child's memory


@contextmanager
def injected(pid: int, *expressions: str) -> Iterator[None]:
    """Let system calls of a running process be tampered with, as `strace -e inject` has it."""
    if shutil.which("strace") is None:
        pytest.skip("not run: strace is not installed")
    options = [part for expression in expressions for part in ("-e", f"inject={expression}")]
    command = ["strace", "-f", "-p", str(pid), "-o", "/dev/null", *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    try:
        said = tracer.stderr.readline()
        if b"attached" not in said:
            pytest.skip(f"not run: strace cannot attach: {said.decode().strip()}")
        yield
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        tracer.stderr.close()


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.fault("F23")
def test_a_disk_that_takes_four_seconds_for_each_sync_starves_no_camera(fault_report: FaultReport) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        worker = farm.start_worker("first")
        farm.wait_recorded()
        pid = farm.child_of(stream)
        before = resident_bytes(pid)
        with injected(pid, "fdatasync,fsync:delay_enter=4000000"):  # `write` also rings between threads
            settle(30)
            grown = resident_bytes(pid) - before
        farm.wait_recorded()

        assert farm.child_of(stream) == pid
        assert grown < MOST_BYTES
        farm.stop_worker(worker)
        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        fault_report.note(f"a child grew by {grown / 1e6:.1f} MB beside a disk of 4 s a sync")
        assert holes.lost == 0
        farm.assert_honest()


@pytest.mark.fault("F24")
def test_a_failed_sync_ends_the_segment_where_the_last_good_one_left_it(fault_report: FaultReport) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        worker = farm.start_worker("first")
        farm.wait_recorded()
        with injected(farm.child_of(stream), "fdatasync:error=EIO:when=3"):
            settle(12)
        farm.wait_recorded()
        farm.stop_worker(worker)

        query = "SELECT state, is_damaged FROM streams_segment ORDER BY start"
        assert farm.house.rows(query)[0] == ("closed", True)
        assert farm.gap_causes(stream) == ["disk"]
        (state, detail) = farm.house.rows("SELECT state, state_detail FROM streams_volume")[0]
        assert (state, detail) == ("failing", "its disk failed: Input/output error")
        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        assert holes.worst_s <= 2 + 1 + 2 * CAMERA.gop_s  # unsynced, until the next try, until a keyframe
        farm.assert_honest()
        assert farm.rows_without_bytes() == []


@pytest.mark.fault("F26")
def test_a_power_cut_loses_no_more_than_the_unsynced(fault_report: FaultReport) -> None:
    cuts = cut_in_own_namespace(3)
    if isinstance(cuts, str):
        pytest.skip(f"not run: {cuts}")

    for cut in cuts:
        fault_report.hole(max(cut.lost_s))
        assert max(cut.lost_s) <= 3
        assert cut.untrue_rows == []
