"""F17: the server's clock is set while a camera is recorded."""

from pathlib import Path

import pytest

from omma_engine.capture.publishing import SilentPublisher
from omma_engine.capture.session import Figures, Session
from omma_engine.sources.base import Media, SourceInfo, SourcePacket, delivery_of
from tests.engine.coded import RATE, TICKS, codec_info, coded, decoded_numbers
from tests.engine.record.recording import Recording

MINUTES_90_US = 90 * 60 * 1_000_000
BEFORE, AFTER = 100, 100


def feed(recording: Recording, session: Session, first: int, count: int) -> None:
    packets = coded(frames=20)
    for number in range(first, first + count):
        recording.clock.advance(1 / RATE)
        packet = packets[number % len(packets)]
        made = SourcePacket(
            Media.VIDEO, bytes(packet), number * TICKS, number * TICKS, TICKS,
            is_keyframe=packet.is_keyframe, arrival_us=recording.clock.now_us(),
        )  # fmt: skip
        session.take(delivery_of(made), Figures())
        recording.recorder.tick()


@pytest.mark.fault("F17")
@pytest.mark.parametrize("step_us", [MINUTES_90_US, -MINUTES_90_US, 1_500_000, -1_500_000])
def test_a_step_ends_the_segment_and_what_follows_is_in_the_new_time(tmp_path: Path, step_us: int) -> None:
    recording = Recording(tmp_path)
    session = Session(SourceInfo(codec_info()), recording.recorder, SilentPublisher(), recording.clock)

    feed(recording, session, 0, BEFORE)
    stepped_at_us = recording.clock.now_us()
    recording.clock.step_wall(step_us / 1_000_000)
    feed(recording, session, BEFORE, AFTER)
    session.close()
    recording.recorder.finish()

    _, second = recording.of_kind("segment_open")
    ends = [news["end_us"] for news in recording.of_kind("segment_close")]
    assert -100_000 <= ends[0] - stepped_at_us <= 2_700_000  # up to the keyframe at which it is cut
    assert abs(second["start_us"] - stepped_at_us - step_us) <= 1_100_000
    assert sum(len(decoded_numbers(path)) for path in recording.files()) >= BEFORE + AFTER - 10
    if step_us > 0:
        assert second["start_us"] >= ends[0]
    assert ends[1] - second["start_us"] <= AFTER * 1_000_000 // RATE * 1.05


@pytest.mark.fault("F17")
def test_slewing_cuts_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    session = Session(SourceInfo(codec_info()), recording.recorder, SilentPublisher(), recording.clock)

    for number in range(BEFORE + AFTER):
        recording.clock.step_wall(50 / 1_000_000)  # 500 ppm
        feed(recording, session, number, 1)
    session.close()
    recording.recorder.finish()

    (path,) = recording.files()
    assert len(decoded_numbers(path)) == BEFORE + AFTER
