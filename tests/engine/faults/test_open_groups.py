"""F9: B-frames and open groups: each segment decodes alone, and no picture is missing at a cut."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.coded import START_US, decoded_numbers, stamped
from tests.engine.record.recording import Recording

FRAMES = 96  # pictures are told apart by a number below 100


@pytest.mark.fault("F9")
@pytest.mark.parametrize("open_gop", [0, 1])
@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_every_cut_keeps_every_picture_and_its_order(
    tmp_path: Path, codec: str, b_frames: int, open_gop: int
) -> None:
    recording = Recording(
        tmp_path, codec=codec, segment_s=2, frames=FRAMES, b_frames=b_frames, open_gop=open_gop, gop=12
    )

    recording.feed(stamped(FRAMES, codec=codec, b_frames=b_frames, open_gop=open_gop, gop=12))
    recording.recorder.finish()

    files = [decoded_numbers(path) for path in recording.files()]
    assert len(files) >= 4
    for numbers in files:
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
    for before, after in pairwise(files):
        assert before[-1] + 1 - after[0] in {0, 1}  # a keyframe that both need is in both
    assert (files[0][0], files[-1][-1]) == (0, FRAMES - 1)
    assert recording.of_kind("gap") == []


@pytest.mark.fault("F9")
def test_rows_of_an_open_group_do_not_overlap(tmp_path: Path) -> None:
    recording = Recording(tmp_path, segment_s=2, frames=FRAMES, b_frames=3, open_gop=1, gop=12)

    recording.feed(stamped(FRAMES, b_frames=3, open_gop=1, gop=12))
    recording.recorder.finish()

    starts = [news["start_us"] for news in recording.of_kind("segment_open")]
    closed = [news["end_us"] for news in recording.of_kind("segment_close")]
    told = {news["segment_id"]: news["end_us"] for news in recording.of_kind("segment_progress")}
    assert closed[:-1] == starts[1:]
    assert all(end <= start for end, start in zip(list(told.values())[:-1], starts[1:], strict=True))


@pytest.mark.fault("F9")
def test_an_end_in_the_middle_of_a_cut_loses_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path, segment_s=2, frames=FRAMES, b_frames=3, open_gop=1, gop=12)
    packets = stamped(FRAMES, b_frames=3, open_gop=1, gop=12)
    due_us = START_US + 1_900_000
    cut = next(number for number, one in enumerate(packets) if one.is_keyframe and one.capture_us > due_us)

    recording.feed(packets[: cut + 2])  # the keyframe, and one picture that is shown before it
    recording.recorder.finish()

    (path,) = recording.files()
    assert packets[cut + 1].pts < packets[cut].pts
    assert len(decoded_numbers(path)) == cut + 2
