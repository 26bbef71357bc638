"""A child on cameras that misbehave: nothing that was delivered is lost, and every hole is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omma_engine.types import SourceKind
from tests.engine.capture.driving import ZygoteDriver, kill, source_spec
from tests.engine.coded import make_volume
from tests.engine.faults.watching import Watch
from tests.farm import CameraSpec, Farm

SMALL = CameraSpec(width=320, height=240, fps=15)
STEADY, DROPPED, JUMPING, SIZED, WRONG_CLOCK, NOISY = range(6)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    cameras = [
        replace(SMALL, has_audio=True), SMALL, SMALL, SMALL,
        replace(SMALL, clock_offset_s=-14 * 3600), SMALL,
    ]  # fmt: skip
    with Farm(cameras) as farm:
        yield farm


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZygoteDriver]:
    with ZygoteDriver(make_volume(tmp_path_factory.mktemp("volume"))) as zygote:
        yield zygote


def test_every_picture_is_stored_once_and_at_its_time(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(STEADY), tmp_path)
    watch.child.listen_for(2.5)
    watch.stop()

    (stored,) = watch.stored()
    made = {picture.sequence: picture for picture in farm.camera(STEADY).ledger()}
    assert stored == list(range(stored[0], stored[0] + len(stored)))
    assert len(stored) >= 40
    (opened,) = watch.child.news("segment_open")
    assert opened["has_audio"]
    assert abs(opened["start_us"] - made[stored[0]].utc_us) < 20_000
    closed = watch.child.news("segment_close")[0]
    assert abs(closed["end_us"] - made[stored[-1]].utc_us - 66_667) < 20_000
    assert watch.child.news("segment_progress")[-1]["clock"] == "rtcp"
    assert watch.child.news("gap") == []


@pytest.mark.fault("F1")
def test_a_camera_that_hangs_up_is_a_gap_and_back_at_once(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(DROPPED), tmp_path)
    farm.camera(DROPPED).drop()
    watch.child.wait(lambda: len(watch.child.news("segment_open")) == 2)
    watch.stop()

    opened, closed = watch.child.news("gap")
    first, second = watch.stored()
    assert watch.child.states()[:3] == ["connecting", "live", "reconnecting"]
    assert watch.child.states()[-2:] == ["live", "stopped"]
    assert (opened["cause"], opened["end_us"]) == ("network", None)
    assert opened["start_us"] == watch.child.news("segment_close")[0]["end_us"]
    assert closed["end_us"] == watch.child.news("segment_open")[1]["start_us"]
    assert first + list(range(first[-1] + 1, second[0])) + second == list(range(first[0], second[-1] + 1))
    assert second[0] - first[-1] <= 15 * 8  # back-off, connect and one GOP, on a busy machine


@pytest.mark.fault("F7")
@pytest.mark.parametrize("jump_s", [3600.0, -10.0])
def test_timestamps_that_jump_lose_nothing(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, jump_s: float
) -> None:
    watch = Watch(zygote, farm.camera(JUMPING), tmp_path)
    farm.camera(JUMPING).jump_timestamps(jump_s)
    watch.child.wait(lambda: len(watch.child.news("segment_open")) == 2)
    watch.stop()

    made = {picture.sequence: picture for picture in farm.camera(JUMPING).ledger()}
    first, second = watch.stored()
    assert first + second == list(range(first[0], second[-1] + 1))
    assert watch.child.news("gap") == []
    for news, numbers in zip(watch.child.news("segment_open"), (first, second), strict=True):
        assert abs(news["start_us"] - made[numbers[0]].utc_us) < 1_000_000
    for news in watch.child.news("segment_close"):
        assert news["end_us"] - watch.child.news("segment_open")[0]["start_us"] < 30_000_000


@pytest.mark.fault("F12")
def test_a_size_that_changes_begins_a_segment_without_losing_a_picture(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(SIZED), tmp_path)
    farm.camera(SIZED).change_video(400, 304)
    watch.child.wait(lambda: len(watch.child.news("segment_open")) == 2)
    watch.stop()

    first, second = watch.stored()
    assert first + second == list(range(first[0], second[-1] + 1))
    assert [(news["width"], news["height"]) for news in watch.child.news("segment_open")] == [
        (320, 240),
        (400, 304),
    ]
    live = [news for news in watch.child.news("state") if news["state"] == "live"]
    assert [news["width"] for news in live] == [320, 400]


@pytest.mark.fault("F16")
def test_a_camera_with_a_wrong_clock_is_recorded_in_our_time(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(WRONG_CLOCK), tmp_path)
    watch.child.listen_for(1)
    watch.stop()

    made = {picture.sequence: picture for picture in farm.camera(WRONG_CLOCK).ledger()}
    (stored,) = watch.stored()
    (opened,) = watch.child.news("segment_open")
    assert opened["clock"] == "arrival"
    assert abs(opened["start_us"] - made[stored[0]].utc_us) < 1_000_000


@pytest.mark.fault("F2")
def test_a_stalled_camera_is_noticed_while_the_child_goes_on_beating(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(STEADY), tmp_path)
    farm.camera(STEADY).stall()
    beats = len(watch.child.beats_heard())
    watch.child.wait(lambda: "reconnecting" in watch.child.states())
    farm.camera(STEADY).resume()
    kill(watch.child.pid)
    zygote.hear()

    assert len(watch.child.beats_heard()) - beats >= 6  # the read took about 4 s, a beat comes each 0.5 s
    (gap,) = watch.child.news("gap")
    assert (gap["cause"], gap["detail"]) != ("", "")


@pytest.mark.fault("F4")
def test_refused_credentials_wait_half_a_minute(zygote: ZygoteDriver, farm: Farm, tmp_path: Path) -> None:
    farm.camera(NOISY).answer(401)
    child = zygote.fork()
    child.start(
        source_spec(make_volume(tmp_path), SourceKind.RTSP, farm.url(NOISY), numeric_host="127.0.0.1")
    )
    child.wait(lambda: "reconnecting" in child.states())
    asked = sum(farm.camera(NOISY).requests().values())
    child.listen_for(2)
    farm.camera(NOISY).resume()
    kill(child.pid)
    zygote.hear()

    assert sum(farm.camera(NOISY).requests().values()) == asked
    told = child.news("state")[-1]
    assert 30 <= (told["retry_at_us"] - told["at_us"]) / 1_000_000 <= 40
    assert child.news("state")[-1]["code"] == "unauthorized"
    assert child.news("gap")[0]["cause"] == "camera"


@pytest.mark.fault("F5")
def test_noise_on_the_line_ends_no_child(zygote: ZygoteDriver, farm: Farm, tmp_path: Path) -> None:
    watch = Watch(zygote, farm.camera(NOISY), tmp_path)
    farm.camera(NOISY).send_noise()
    farm.camera(NOISY).flip_bits(0.01, 1.0)
    watch.child.listen_for(2)
    farm.camera(NOISY).resume()
    before = len(watch.child.news("segment_progress"))
    watch.child.wait(lambda: len(watch.child.news("segment_progress")) > before + 1)
    watch.stop()

    assert watch.child.states()[-2] == "live"
