"""Processes that are killed, frozen or told to leave: how long the hole is, and that nothing is untrue."""

import os
import signal
import time
from pathlib import Path
from random import Random

import pytest

from tests.faults.plugin import FaultReport
from tests.faults.recorded import CAMERA, processes_marked, recorded_farm, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.fault("F25", "F31")
def test_a_killed_child_costs_a_second_and_its_restart(fault_report: FaultReport, chance: Random) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        for _ in range(2):  # a third crash would park it
            settle(chance.uniform(1.5, 3.5))
            for stream in farm.streams:
                os.kill(farm.child_of(stream), signal.SIGKILL)
            farm.wait_recorded()
        farm.stop_worker(worker)

        for stream in farm.streams:
            holes = farm.holes(stream)
            fault_report.hole(holes.worst_s)
            assert holes.worst_s <= 1 + 2 + CAMERA.gop_s
            assert set(farm.gap_causes(stream)) <= {"worker", "planned"}
        farm.assert_honest()
        assert farm.rows_without_bytes() == []


@pytest.mark.fault("F32", "F36")
def test_a_killed_worker_is_followed_within_five_seconds_and_leaves_no_process(
    fault_report: FaultReport, chance: Random
) -> None:
    with recorded_farm(cameras=2) as farm:
        recording = farm.start_worker("worker-0")
        farm.wait_recorded()
        for number in range(1, 4):
            waiting = farm.start_worker(f"worker-{number}")
            settle(chance.uniform(2, 4))
            children = [farm.child_of(stream) for stream in farm.streams]
            recording.kill()
            recording.wait()
            settle(2)
            assert not any(Path(f"/proc/{pid}").exists() for pid in children)
            farm.wait_recorded()
            recording = waiting
        farm.stop_worker(recording)

        for stream in farm.streams:
            holes = farm.holes(stream)
            fault_report.hole(holes.worst_s)
            assert holes.worst_s <= 5 + CAMERA.gop_s
        farm.assert_honest()
        assert processes_marked(str(farm.house.data_dir), "omma_engine.capture") == []


@pytest.mark.fault("F33")
@pytest.mark.parametrize("freezes_children", [False, True])
def test_a_frozen_worker_is_followed_and_wakes_to_nothing(
    fault_report: FaultReport, freezes_children: bool
) -> None:
    with recorded_farm(cameras=2) as farm:
        frozen = farm.start_worker("frozen")
        farm.wait_recorded()
        follower = farm.start_worker("follower")
        settle(2)
        children = [farm.child_of(stream) for stream in farm.streams] if freezes_children else []
        for pid in (frozen.pid, *children):
            os.kill(pid, signal.SIGSTOP)

        farm.wait("new owner", lambda: all(farm.owner_of(each) == "follower" for each in farm.streams))
        farm.wait_recorded()
        settle(10)
        for pid in (frozen.pid, *children):
            os.kill(pid, signal.SIGCONT)
        settle(4)
        assert {farm.owner_of(stream) for stream in farm.streams} == {"follower"}
        farm.stop_worker(follower)
        farm.stop_worker(frozen)

        for stream in farm.streams:
            holes = farm.holes(stream)
            fault_report.hole(holes.worst_s)
            assert holes.worst_s <= (9 if freezes_children else 4) + CAMERA.gop_s
        farm.assert_honest()


@pytest.mark.fault("F34")
def test_a_rolling_restart_of_three_workers_loses_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=3) as farm:
        workers = {name: farm.start_worker(name) for name in ("a", "b", "c")}
        farm.wait_recorded()
        settle(2)
        for name in workers:
            farm.stop_worker(workers[name])
            workers[name] = farm.start_worker(name)
            farm.wait_recorded()
        owners = {farm.owner_of(stream) for stream in farm.streams}
        assert owners <= set(workers)
        for worker in workers.values():
            worker.send_signal(signal.SIGTERM)
        for worker in workers.values():
            worker.wait(20)

        for stream in farm.streams:
            holes = farm.holes(stream)
            fault_report.hole(holes.worst_s)
            assert holes.lost == 0
            assert "worker" not in farm.gap_causes(stream)
        farm.assert_honest()


@pytest.mark.fault("F34")
def test_a_camera_for_one_client_is_handed_over_with_a_short_planned_break(
    fault_report: FaultReport,
) -> None:
    with recorded_farm() as farm:
        (stream,) = farm.streams
        farm.house.rows("""UPDATE cameras_camera SET options = options || '{"single_session": true}'""")
        first = farm.start_worker("first")
        farm.wait_recorded()
        second = farm.start_worker("second")
        settle(2)
        most = 0
        first.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 15
        while (first.poll() is None or farm.owner_of(stream) != "second") and time.monotonic() < deadline:
            most = max(most, stream.camera.sessions())
            time.sleep(0.02)
        farm.wait_recorded()
        farm.stop_worker(second)

        holes = farm.holes(stream)
        fault_report.hole(holes.worst_s)
        assert most == 1
        assert holes.worst_s <= 3 + CAMERA.gop_s
        farm.assert_honest()


@pytest.mark.fault("F39")
def test_a_child_that_hangs_is_ended_within_ten_seconds(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        hung, healthy = farm.streams
        pid = farm.child_of(hung)
        began_s = time.monotonic()
        os.kill(pid, signal.SIGSTOP)

        farm.wait("its end", lambda: not Path(f"/proc/{pid}").exists())
        ended_s = time.monotonic() - began_s
        farm.wait_recorded()
        farm.stop_worker(worker)

        fault_report.hole(farm.holes(hung).worst_s)
        assert ended_s <= 10.5
        assert farm.holes(healthy).lost == 0
        farm.assert_honest()


@pytest.mark.fault("F35")
def test_three_crashes_park_a_camera_until_somebody_restarts_it(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        crashing, healthy = farm.streams
        for _ in range(3):
            os.kill(farm.child_of(crashing), signal.SIGKILL)
            settle(4)
        (status,) = farm.wait(
            "parked camera",
            lambda: farm.house.rows(
                "SELECT status FROM streams_source WHERE id = %s AND status_code = 'parked'",
                (crashing.source_id,),
            ),
        )
        farm.wait(
            "open gap",
            lambda: farm.house.rows(
                "SELECT 1 FROM streams_gap WHERE stream_id = %s AND \"end\" IS NULL AND cause = 'worker'",
                (crashing.stream_id,),
            ),
            timeout_s=5,
        )

        farm.house.rows("UPDATE streams_source SET restart_serial = restart_serial + 1")
        farm.wait_recorded(streams=[crashing])
        farm.stop_worker(worker)

        assert status == ("failed",)
        fault_report.note("the third crash parks; a restart by hand ends it")
        farm.assert_honest()
        assert farm.holes(healthy).worst_s <= 3  # the restart by hand met both
