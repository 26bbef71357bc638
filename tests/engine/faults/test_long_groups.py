"""F10, F12: a stream without keyframes stays bounded, and one that changes its size again and again is cut
once for each change.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from omma_engine.record.recorder import Coding
from omma_engine.types import EncodedPacket
from tests.engine.capture.driving import ZygoteDriver
from tests.engine.coded import RATE, START_US, codec_info, decoded_numbers, stamped
from tests.engine.faults.watching import Watch
from tests.engine.record.recording import Recording
from tests.farm import CameraSpec, Farm

FRAME_US = 1_000_000 // RATE


def without_keyframes(seconds: int) -> Iterator[EncodedPacket]:
    """Yield a keyframe, and then so long none."""
    first, *rest = stamped(20, gop=20)
    yield first
    for number in range(1, seconds * RATE):
        packet = rest[number % len(rest)]
        yield replace(packet, pts=number * 9_000, dts=number * 9_000, capture_us=START_US + number * FRAME_US)


@pytest.mark.fault("F10")
def test_two_and_a_half_minutes_without_a_keyframe_are_cut_by_time_and_written_as_they_come(
    tmp_path: Path,
) -> None:
    recording = Recording(tmp_path, segment_s=60, gop=20)

    recording.feed(list(without_keyframes(150)))
    recording.recorder.finish()

    starts = [(news["start_us"] - START_US) / 1e6 for news in recording.of_kind("segment_open")]
    said = [news["durable_bytes"] for news in recording.of_kind("segment_progress")]
    assert starts == [0.0, pytest.approx(120, abs=1)]
    assert len(said) >= 150 // 3  # nothing waits for a keyframe: every sync has more
    assert recording.of_kind("gap") == []


@pytest.mark.fault("F10")
@pytest.mark.slow
def test_a_camera_that_withholds_keyframes_is_recorded_after_ten_seconds(
    zygote: ZygoteDriver, tmp_path: Path
) -> None:
    with Farm([CameraSpec(width=320, height=240, fps=15, join="anything")]) as farm:
        farm.camera(0).withhold_keyframes()
        watch = Watch(zygote, farm.camera(0), tmp_path, waits=False)
        watch.wait_for_segments(1, 30)
        farm.camera(0).resume()
        watch.wait_for_growth()
        watch.stop()

        assert watch.missing() == set()
        assert watch.child.states()[-2] == "live"


@pytest.mark.fault("F12")
def test_a_size_that_flaps_for_a_minute_is_cut_once_for_each_change(tmp_path: Path) -> None:
    recording = Recording(tmp_path, gop=5, frames=5)
    sizes = [(192, stamped(5, gop=5)), (256, stamped(5, gop=5, width=256))]
    for change in range(120):
        width, packets = sizes[change % 2]
        recording.recorder.set_coding(Coding(codec_info(gop=5, frames=5, width=width), None))
        recording.recorder.set_coding(Coding(codec_info(gop=5, frames=5, width=width), None))  # once more
        shift = change * 5
        recording.feed(
            [
                replace(
                    packet,
                    pts=packet.pts + shift * 9_000,
                    dts=packet.dts + shift * 9_000,
                    capture_us=packet.capture_us + shift * FRAME_US,
                )
                for packet in packets
            ]
        )
    recording.recorder.finish()

    opened, closed = recording.of_kind("segment_open"), recording.of_kind("segment_close")
    assert len(opened) == len(closed) == 120
    assert [news["width"] for news in opened[:3]] == [192, 256, 192]
    assert all(decoded_numbers(path) == list(range(5)) for path in recording.files())
    for before, after in pairwise(zip(opened, closed, strict=True)):
        assert after[0]["start_us"] - before[1]["end_us"] <= 1_000
    assert recording.of_kind("gap") == []
