"""F32 with nobody to take over: every hole has its row within seconds, although no capture worker lives."""

import signal
import time
from datetime import UTC, datetime

import pytest

from tests.faults.plugin import FaultReport
from tests.faults.recorded import recorded_farm, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TOLD_WITHIN_S = 5.0
WATCHES_AFTER_S = 9.0  # a lease's time and two seconds after it began


@pytest.mark.fault("F32")
def test_a_hole_is_told_within_seconds_when_the_last_worker_dies(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        watcher = farm.house.start_worker("default")
        worker = farm.start_worker("only")
        farm.wait_recorded()
        settle(WATCHES_AFTER_S)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        killed_s = time.monotonic()
        query = 'SELECT stream_id, cause FROM streams_gap WHERE "end" IS NULL'
        farm.wait("open gaps", lambda: len(farm.house.rows(query)) == 2 or None)
        told_s = time.monotonic() - killed_s
        assert {cause for _, cause in farm.house.rows(query)} == {"worker"}
        settle(3)

        again = farm.start_worker("only")
        farm.wait_recorded(datetime.now(UTC))
        farm.stop_worker(watcher)  # or it would tell of the hole that follows
        farm.stop_worker(again)

        fault_report.note(f"with no worker left, holes are told within {told_s:.1f} s")
        assert told_s <= TOLD_WITHIN_S
        for stream in farm.streams:
            assert farm.gap_causes(stream) == ["worker"]
        farm.assert_honest()
