"""F1, F14, F15: connections that break, cameras that restart, and flapping ones beside healthy ones."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.capture.driving import ZygoteDriver, kill
from tests.engine.faults.watching import Watch
from tests.farm import CameraSpec, Farm
from tests.faults.plugin import FaultReport

SMALL = CameraSpec(width=320, height=240, fps=15)
LOCKED = replace(SMALL, auth="digest", username="eve", password="right")
FIRST, SECOND, THIRD, FOURTH, GUARDED, REBOOTING = range(6)
BACK_OFF_S, GOP_S, SLACK_S = 0.625, 1.0, 2.0  # the machine may be busy
WORKED_S = 5.0


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm([SMALL, SMALL, SMALL, SMALL, LOCKED, SMALL]) as farm:
        yield farm


def holes_s(watch: Watch) -> list[float]:
    return [(end - start) / 1e6 for start, end, _ in watch.holes()]


@pytest.mark.fault("F1")
@pytest.mark.slow
def test_a_reset_after_a_while_is_made_good_within_two_seconds_and_a_group(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, fault_report: FaultReport
) -> None:
    watch = Watch(zygote, farm.camera(FIRST), tmp_path)
    watch.child.listen_for(WORKED_S)
    farm.camera(FIRST).drop()
    watch.wait_for_segments(2)
    watch.stop()

    (hole_s,) = holes_s(watch)
    fault_report.hole(hole_s)
    assert hole_s <= BACK_OFF_S + GOP_S + SLACK_S
    assert {cause for *_, cause in watch.holes()} == {"network"}
    assert watch.missing() == set()
    watch.assert_explained()


@pytest.mark.fault("F1")
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_fifty_resets_at_random_moments(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, chance: random.Random, fault_report: FaultReport
) -> None:
    watches = [Watch(zygote, farm.camera(number), tmp_path / str(number)) for number in range(5)]
    due = {watch.camera.number: time.monotonic() + chance.uniform(5.5, 8.0) for watch in watches}
    resets = 0
    while resets < 50:
        watches[0].child.listen_for(0.1, others=[watch.child for watch in watches[1:]])
        for number in [number for number, at_s in due.items() if time.monotonic() >= at_s]:
            resets += farm.camera(number).drop()
            due[number] = time.monotonic() + chance.uniform(7.5, 11.0)
    watches[0].child.listen_for(4, others=[watch.child for watch in watches[1:]])
    for watch in watches:
        watch.stop()

    found = [hole_s for watch in watches for hole_s in holes_s(watch)]
    fault_report.hole(max(found))
    fault_report.note("50 resets of 5 cameras, at random moments after 5 s of pictures each")
    assert len(found) == 50
    assert max(found) <= BACK_OFF_S + GOP_S + SLACK_S
    for watch in watches:
        assert watch.missing() == set()
        watch.assert_explained()


@pytest.mark.fault("F14")
@pytest.mark.slow
def test_a_camera_that_restarts_is_recorded_as_soon_as_it_answers(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, fault_report: FaultReport
) -> None:
    away_s = 7.0
    watch = Watch(zygote, farm.camera(REBOOTING), tmp_path)
    farm.camera(REBOOTING).restart(away_s)
    watch.wait_for_segments(2, 30)
    watch.stop()

    (hole_s,) = holes_s(watch)
    fault_report.hole(hole_s - away_s)
    assert "unreachable" in watch.codes()
    assert hole_s <= away_s + 5
    watch.assert_explained()


@pytest.mark.fault("F14")
def test_a_camera_without_a_free_session_says_so_and_is_not_hammered(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    farm.camera(SECOND).answer(453, method="SETUP")
    watch = Watch(zygote, farm.camera(SECOND), tmp_path, waits=False)
    watch.child.wait(lambda: "busy" in watch.codes())
    before = farm.camera(SECOND).requests().get("SETUP 453", 0)
    watch.child.listen_for(2.2)
    asked = farm.camera(SECOND).requests().get("SETUP 453", 0) - before
    farm.camera(SECOND).resume()
    watch.wait_for_segments(1)
    watch.stop()

    assert asked <= 2
    assert watch.holes()[0][2] == "camera"


@pytest.mark.fault("F4", "F14")
@pytest.mark.slow
def test_a_password_that_was_changed_and_put_back(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, fault_report: FaultReport
) -> None:
    camera = farm.camera(GUARDED)
    watch = Watch(zygote, camera, tmp_path)
    camera.answer(401)
    camera.drop()
    watch.child.wait(lambda: "unauthorized" in watch.codes())
    tries = camera.requests().get("DESCRIBE 401", 0)
    watch.child.listen_for(25)
    tried = camera.requests().get("DESCRIBE 401", 0) - tries
    camera.resume()
    watch.wait_for_segments(2, 30)
    watch.stop()

    fault_report.note("a refused login is tried again after 30 to 37.5 s; a new one in Omma at once")
    assert tried == 0
    watch.assert_explained()


def flap(farm: Farm, watches: list[Watch], seconds: float, *, every_s: float, away_s: float) -> None:
    """Restart two cameras again and again while all are recorded."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        for number in (FIRST, SECOND):
            farm.camera(number).restart(away_s)
        watches[0].child.listen_for(every_s, others=[watch.child for watch in watches[1:]])


@pytest.mark.fault("F15")
@pytest.mark.slow
def test_flapping_cameras_cost_their_neighbours_nothing(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watches = [Watch(zygote, farm.camera(number), tmp_path / str(number)) for number in range(4)]

    flap(farm, watches, 20.0, every_s=2.0, away_s=0.3)
    for watch in watches[2:]:
        watch.stop()
    for watch in watches[:2]:
        kill(watch.child.pid)
        zygote.hear()

    for watch in watches[2:]:
        (stored,) = watch.stored()
        assert stored == list(range(stored[0], stored[-1] + 1))
        assert watch.child.news("gap") == []
