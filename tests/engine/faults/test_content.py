"""F5, F6, F11, F12, F13: what cameras send is damaged, changes, or is no coding that MP4 takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.capture.driving import ZygoteDriver
from tests.engine.faults.watching import Watch
from tests.farm import CameraSpec, Farm
from tests.faults.plugin import FaultReport

SMALL = CameraSpec(width=320, height=240, fps=15)
LOSSY, CHANGING, SOUNDING, STRANGE, SIZED = range(5)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    sounding = replace(SMALL, has_audio=True)
    with Farm([SMALL, SMALL, sounding, replace(sounding, audio_encoding="X-STRANGE"), SMALL]) as farm:
        yield farm


@pytest.mark.fault("F6")
@pytest.mark.parametrize("share", [0.02, pytest.param(0.05, marks=pytest.mark.slow)])
def test_lost_datagrams_are_counted_and_end_nothing(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, share: float, fault_report: FaultReport
) -> None:
    watch = Watch(zygote, farm.camera(LOSSY), tmp_path, transport="udp")
    farm.camera(LOSSY).lose_packets(share)
    watch.child.listen_for(3)
    farm.camera(LOSSY).resume()
    watch.wait_for_growth()
    watch.stop()

    (closed,) = watch.closed
    fault_report.note(f"{share:.0%} lost: {closed['damaged_pictures']} damaged pictures told")
    assert closed["damaged_pictures"] > 0
    assert watch.child.states()[-2] == "live"
    assert watch.child.news("gap") == []


@pytest.mark.fault("F6")
def test_whole_pictures_are_not_called_damaged(zygote: ZygoteDriver, farm: Farm, tmp_path: Path) -> None:
    watch = Watch(zygote, farm.camera(LOSSY), tmp_path, transport="udp")
    watch.child.listen_for(1)
    watch.stop()

    assert [news["damaged_pictures"] for news in watch.closed] == [0]


@pytest.mark.fault("F5")
@pytest.mark.slow
def test_flipped_bits_end_no_child_and_spare_what_was_recorded(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, fault_seed: int
) -> None:
    watch = Watch(zygote, farm.camera(SIZED), tmp_path, segment_s=4)
    watch.wait_for_segments(2)
    before = watch.decoded()[0]
    farm.camera(SIZED).flip_bits(0.01, seed=fault_seed)
    watch.child.listen_for(6)
    farm.camera(SIZED).resume()
    watch.wait_for_growth()
    watch.stop()

    assert watch.child.states()[-2] == "live"
    assert watch.decoded_of(0) == before
    assert sum(news["damaged_pictures"] for news in watch.closed) > 0
    watch.assert_explained()


@pytest.mark.fault("F11")
def test_another_codec_begins_a_segment_and_loses_a_group_at_most(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, fault_report: FaultReport
) -> None:
    watch = Watch(zygote, farm.camera(CHANGING), tmp_path)
    farm.camera(CHANGING).change_video(320, 240, "hevc")
    watch.wait_for_segments(2)
    watch.child.listen_for(0.5)
    watch.stop()

    (first, second), ((start, end, _),) = watch.stored(), watch.holes()
    fault_report.hole((end - start) / 1e6)
    assert [news["codec"] for news in watch.opened] == ["h264", "hevc"]
    assert len(first) - watch.decoded_of(0) in {0, 1}  # one picture in the new coding came in the old session
    assert watch.decoded_of(1) == len(second)
    assert watch.missing() == set()
    watch.assert_explained()


@pytest.mark.fault("F12")
@pytest.mark.slow
def test_sizes_that_flap_split_once_for_each_change(zygote: ZygoteDriver, farm: Farm, tmp_path: Path) -> None:
    watch = Watch(zygote, farm.camera(SIZED), tmp_path)
    for number in range(10):
        farm.camera(SIZED).change_video(400 if number % 2 == 0 else 320, 304 if number % 2 == 0 else 240)
    watch.wait_for_segments(11)
    watch.stop()

    assert len(watch.opened) == 11
    assert watch.missing() == set()
    assert watch.child.news("gap") == []
    assert watch.child.states()[-1] == "stopped"
    assert set(watch.child.states()) == {"connecting", "live", "stopped"}


@pytest.mark.fault("F13")
@pytest.mark.parametrize(("camera", "has_sound"), [(SOUNDING, True), (STRANGE, False)])
def test_sound_that_mp4_does_not_take_costs_no_picture(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, camera: int, has_sound: bool
) -> None:
    watch = Watch(zygote, farm.camera(camera), tmp_path)
    watch.child.listen_for(1)
    watch.stop()

    (stored,) = watch.stored()
    assert stored == list(range(stored[0], stored[-1] + 1))
    assert [news["has_audio"] for news in watch.opened] == [has_sound]
    live = next(news for news in watch.child.news("state") if news["state"] == "live")
    assert live["has_audio"] is has_sound
