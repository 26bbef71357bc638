"""F17, F18: the clock of a capture worker is set while it records, or is not that of the others."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omma.tree.environment import python
from tests.bench.house import Process
from tests.faults.plugin import FaultReport
from tests.faults.recorded import RecordedFarm, recorded_farm, settle
from tests.faults.skew import SkewedClock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MINUTES_10, MINUTES_90 = 600, 5400
LONG_AGO = datetime.fromtimestamp(0, UTC)


def start_worker(farm: RecordedFarm, name: str, clock: SkewedClock) -> Process:
    command = python("manage.py", "capture", "--name", name)
    return farm.adopt(name, farm.house.start(name, command, clock.environment))


def wait_for_more(farm: RecordedFarm, *, than: int = 0) -> int:
    """Wait until half a megabyte more is durable, whatever time it claims; return how much there is."""
    query = "SELECT coalesce(sum(durable_bytes), 0) FROM streams_segment WHERE state <> 'garbage'"
    more = than + 150_000
    farm.wait("more footage", lambda: int(farm.house.rows(query)[0][0]) > more or None)
    return int(farm.house.rows(query)[0][0])


def errors_s(farm: RecordedFarm) -> list[float]:
    """Return the bound on the error of each segment, in order."""
    rows = farm.house.rows("SELECT error_us FROM streams_segment WHERE durable_bytes > 0 ORDER BY start")
    return [error_us / 1e6 for (error_us,) in rows]


@pytest.mark.fault("F17")
@pytest.mark.parametrize("step_s", [-MINUTES_90, MINUTES_90, -5])
def test_a_clock_that_is_set_loses_no_picture_and_claims_no_time_twice(
    tmp_path: Path, fault_report: FaultReport, step_s: int
) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        clock = SkewedClock(tmp_path)
        worker = start_worker(farm, "watched", clock)
        known = wait_for_more(farm)
        clock.set(step_s)
        known = wait_for_more(farm, than=known)
        settle(3)
        wait_for_more(farm, than=known)
        farm.stop_worker(worker)

        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        fault_report.note(f"a step of {step_s} s: errors of up to {max(errors_s(farm)):.0f} s are stated")
        assert holes.lost == 0
        farm.assert_honest()
        if step_s < 0:
            assert max(errors_s(farm)) >= -step_s * 0.9
        assert farm.gap_causes(stream) == (["worker"] if step_s > 0 else [])


@pytest.mark.fault("F17", "F18")
def test_a_child_that_begins_after_the_clock_was_set_back_goes_on_where_footage_ends(
    tmp_path: Path, fault_report: FaultReport
) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        clock = SkewedClock(tmp_path)
        worker = start_worker(farm, "watched", clock)
        known = wait_for_more(farm)
        clock.set(-MINUTES_10)
        settle(1)
        known = wait_for_more(farm, than=known)
        os.kill(farm.child_of(stream), signal.SIGKILL)
        wait_for_more(farm, than=known)
        farm.stop_worker(worker)

        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        assert holes.worst_s <= 5
        farm.assert_honest()


@pytest.mark.fault("F18")
@pytest.mark.parametrize("offsets_s", [(MINUTES_10, -MINUTES_10), (-MINUTES_10, MINUTES_10)])
def test_a_new_owner_with_another_clock_cuts_nothing_of_the_one_before(
    tmp_path: Path, fault_report: FaultReport, offsets_s: tuple[int, int]
) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        first_clock, second_clock = (SkewedClock(tmp_path, offset_s) for offset_s in offsets_s)
        first = start_worker(farm, "first", first_clock)
        known = wait_for_more(farm)
        second = start_worker(farm, "second", second_clock)
        settle(8)  # longer than a lease: the other one's clock makes it no older
        assert farm.owner_of(stream) == "first"
        before = until_of(farm)
        first.send_signal(signal.SIGKILL)
        first.wait()
        wait_for_more(farm, than=known)
        farm.wait("new owner", lambda: farm.owner_of(stream) == "second" or None)
        wait_for_more(farm, than=known + 300_000)
        farm.stop_worker(second)

        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        fault_report.note(f"workers {offsets_s} s off: {holes.worst_s:.1f} s lost with the first one")
        assert holes.worst_s <= 6
        assert first_epoch_until(farm) >= before - timedelta(milliseconds=1)
        farm.assert_honest()


def until_of(farm: RecordedFarm) -> datetime:
    rows = farm.house.rows('SELECT max("end") FROM streams_segment')
    return rows[0][0] or LONG_AGO


def first_epoch_until(farm: RecordedFarm) -> datetime:
    """Return up to when what the first owner recorded is still there."""
    rows = farm.house.rows(
        "SELECT max(\"end\") FROM streams_segment WHERE state <> 'garbage' "
        "AND epoch >> 20 = (SELECT min(epoch >> 20) FROM streams_segment)"
    )
    return rows[0][0] or LONG_AGO
