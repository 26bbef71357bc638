"""F17: the server's clock is set while a camera is recorded."""

from itertools import pairwise
from pathlib import Path

import pytest

from omma_engine.capture.publishing import SilentPublisher
from omma_engine.capture.session import Figures, Session
from omma_engine.sources.base import Media, SourceInfo, SourcePacket, delivery_of
from tests.engine.coded import RATE, TICKS, codec_info, coded, decoded_numbers
from tests.engine.record.recording import Recording

MINUTES_90_US = 90 * 60 * 1_000_000
INTERVAL_US = 1_000_000 // RATE
GROUP = 10
BEFORE, AFTER = 100, 100


class Camera:
    """A camera whose pictures are recorded, while somebody sets the server's clock."""

    def __init__(self, root: Path) -> None:
        self.recording = Recording(root)
        self.session = Session(
            SourceInfo(codec_info()), self.recording.recorder, SilentPublisher(), self.recording.time
        )
        self.made = 0

    def send(self, count: int) -> None:
        packets, recording = coded(frames=20), self.recording
        for number in range(self.made, self.made + count):
            recording.clock.advance(1 / RATE)
            recording.time.look()
            packet = packets[number % len(packets)]
            made = SourcePacket(
                Media.VIDEO, bytes(packet), number * TICKS, number * TICKS, TICKS,
                is_keyframe=packet.is_keyframe, arrival_us=recording.time.steady.now_us(),
            )  # fmt: skip
            self.session.take(delivery_of(made), Figures())
            recording.recorder.tick()
        self.made += count

    def stop(self) -> None:
        self.session.close()
        self.recording.recorder.finish()

    def spans(self) -> list[tuple[int, int, str]]:
        """Return start, end and kind of all that is recorded or explained, in order."""
        opened, closed = self.recording.of_kind("segment_open"), self.recording.of_kind("segment_close")
        spans = [
            (one["start_us"], other["end_us"], "recorded") for one, other in zip(opened, closed, strict=True)
        ]
        gaps = [news for news in self.recording.of_kind("gap") if news["end_us"] is not None]
        return sorted([*spans, *((news["start_us"], news["end_us"], news["cause"]) for news in gaps)])

    def assert_whole(self) -> None:
        """Nothing overlaps, nothing is unexplained, and every picture decodes."""
        for before, after in pairwise(self.spans()):
            assert before[1] == after[0], (before, after)
        numbers = [number for path in self.recording.files() for number in decoded_numbers(path)]
        assert len(numbers) == self.made


@pytest.mark.fault("F17")
@pytest.mark.parametrize("early", [0, 3])  # at a keyframe, and in the middle of a group
@pytest.mark.parametrize("step_us", [MINUTES_90_US, 1_500_000])
def test_a_clock_set_forward_is_followed_at_a_keyframe(tmp_path: Path, step_us: int, early: int) -> None:
    camera = Camera(tmp_path)
    camera.send(BEFORE + early)
    stepped_at_us = camera.recording.clock.now_us()
    camera.recording.clock.step_wall(step_us / 1_000_000)
    camera.send(AFTER)
    camera.stop()

    camera.assert_whole()
    first, *between, second = camera.spans()
    assert (first[2], second[2]) == ("recorded", "recorded")
    assert [kind for *_, kind in between] == (["worker"] if step_us > 2_000_000 else [])
    group_us = GROUP * INTERVAL_US
    assert abs(second[0] - stepped_at_us - step_us) <= group_us + INTERVAL_US
    assert second[1] - second[0] <= AFTER * INTERVAL_US


@pytest.mark.fault("F17")
@pytest.mark.parametrize("step_us", [-MINUTES_90_US, -600_000_000, -1_500_000])
def test_footage_claims_no_time_twice_where_the_clock_is_set_back(tmp_path: Path, step_us: int) -> None:
    camera = Camera(tmp_path)
    camera.send(BEFORE + 3)
    camera.recording.clock.step_wall(step_us / 1_000_000)
    camera.send(AFTER)
    camera.stop()

    camera.assert_whole()
    (span,) = camera.spans()
    real_us = (BEFORE + AFTER + 3) * INTERVAL_US
    assert 0.95 * real_us <= span[1] - span[0] <= real_us
    errors = [news["error_us"] for news in camera.recording.of_kind("segment_progress")]
    assert errors[-1] >= -step_us - real_us * 0.05  # it says how far it is from the server's clock
    assert errors[0] < 500_000


@pytest.mark.fault("F17")
def test_a_clock_that_was_set_back_is_caught_up_with(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.send(BEFORE)
    camera.recording.clock.step_wall(-1.5)
    camera.send(400)
    camera.stop()

    camera.assert_whole()
    assert abs(camera.spans()[-1][1] - camera.recording.clock.now_us()) <= 2 * INTERVAL_US


@pytest.mark.fault("F17")
def test_a_clock_set_back_and_forth_is_as_if_nobody_had_touched_it(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.send(BEFORE)
    for step_s in (-600, 600, 600, -600):
        camera.recording.clock.step_wall(step_s)
        camera.send(5)
    camera.recording.clock.step_wall(0.0)
    camera.send(AFTER)
    camera.stop()

    camera.assert_whole()


@pytest.mark.fault("F17")
def test_slewing_cuts_nothing(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    for _ in range(BEFORE + AFTER):
        camera.recording.clock.step_wall(50 / 1_000_000)  # 500 ppm
        camera.send(1)
    camera.stop()

    (path,) = camera.recording.files()
    assert len(decoded_numbers(path)) == BEFORE + AFTER
