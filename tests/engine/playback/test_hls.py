"""A playlist lists exactly the byte ranges of the wanted footage, and an HLS player plays it."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from omma_engine.playback.hls import playlist
from omma_engine.playback.slices import select_footage
from tests.engine.playback.footage import Shot, read_numbers, record, record_run

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


def address(segment_id: UUID) -> str:
    return f"/media/v1/segments/{segment_id}.mp4"


def test_every_entry_starts_at_a_keyframe_and_its_range_is_of_whole_fragments(tmp_path: Path) -> None:
    one = record(tmp_path, Shot(start_us=START_US, first=0, count=60, gop=30))
    selection = select_footage([one], start_us=START_US, end_us=START_US + 6 * SECOND_US)

    lines = playlist(selection, address_of=address, is_growing=False).splitlines()

    keys = [fragment for fragment in one.fragments if fragment.is_keyframe]
    ranges = [line.removeprefix("#EXT-X-BYTERANGE:") for line in lines if line.startswith("#EXT-X-BYTERANGE")]
    assert [int(text.split("@")[1]) for text in ranges] == [key.offset for key in keys]
    assert sum(int(text.split("@")[0]) for text in ranges) == one.durable_bytes - one.init_size - _tail(
        one.root / one.path
    )
    assert lines[:7] == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{address(one.segment_id)}",BYTERANGE="{one.init_size}@0"',
    ]
    assert lines[-1] == "#EXT-X-ENDLIST"


def test_growing_range_has_no_end(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 6 * SECOND_US)

    text = playlist(selection, address_of=address, is_growing=True)

    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert "#EXT-X-ENDLIST" not in text


def test_files_are_discontinuities_that_say_their_wall_time(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])
    slices += record_run(tmp_path, start_us=START_US + 5 * SECOND_US + 250_000, seconds=[2])
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 9 * SECOND_US)

    lines = playlist(selection, address_of=address, is_growing=False).splitlines()

    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    times = [line for line in lines if line.startswith("#EXT-X-PROGRAM-DATE-TIME")]
    assert times == [
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z",
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:25.250Z",
    ]


def test_durable_bytes_bound_what_is_listed(tmp_path: Path) -> None:
    whole = record_run(tmp_path, start_us=START_US, seconds=[5])[0]
    mark = whole.fragments[2].offset + whole.fragments[2].size
    selection = select_footage(
        [replace(whole, durable_bytes=mark)], start_us=START_US, end_us=START_US + 9 * SECOND_US
    )

    text = playlist(selection, address_of=address, is_growing=False)

    last = [line for line in text.splitlines() if line.startswith("#EXT-X-BYTERANGE:")][-1]
    size, offset = (int(part) for part in last.removeprefix("#EXT-X-BYTERANGE:").split("@"))
    assert offset + size == mark


def test_what_a_growing_list_says_never_changes(tmp_path: Path) -> None:
    whole = record(tmp_path, Shot(start_us=START_US, first=0, count=100, gop=20))
    head = 6
    known: list[str] = []

    for count in range(3, len(whole.fragments) + 1):
        last = whole.fragments[count - 1]
        so_far = replace(whole, durable_bytes=last.offset + last.size)
        selection = select_footage([so_far], start_us=START_US, end_us=START_US + 20 * SECOND_US)
        lines = playlist(selection, address_of=address, is_growing=True).splitlines()
        assert lines[: len(known)] == known
        known = lines

    assert known[2] == "#EXT-X-TARGETDURATION:10"
    assert len(known) > head + 4 * 4


def test_a_list_of_many_hours_has_longer_parts(tmp_path: Path) -> None:
    one = record(tmp_path, Shot(start_us=START_US, first=0, count=240, gop=10))
    selection = select_footage([one], start_us=START_US, end_us=START_US + 24 * SECOND_US)

    text = playlist(selection, address_of=address, is_growing=False, part_s=10.0)

    assert [line for line in text.splitlines() if line.startswith("#EXTINF")] == [
        "#EXTINF:10.000000,", "#EXTINF:10.000000,", "#EXTINF:4.000000,",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_ffmpeg_plays_it_with_every_picture(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[4, 3])
    selection = select_footage(slices, start_us=START_US + SECOND_US, end_us=START_US + 6 * SECOND_US)
    names = {one.segment_id: one.path for one in slices}
    (tmp_path / "list.m3u8").write_text(
        playlist(selection, address_of=lambda one: names[one], is_growing=False)
    )

    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(tmp_path / "list.m3u8"),
        "-c",
        "copy",
        str(tmp_path / "out.mp4"),
    ]
    subprocess.run(command, check=True, timeout=60)

    assert [number for number, _ in read_numbers(tmp_path / "out.mp4")] == list(range(10, 60))


def _tail(path: Path) -> int:
    """Return the size of what follows the last fragment (`mfra`)."""
    data = path.read_bytes()
    at = data.rfind(b"mfra")
    return 0 if at < 0 else len(data) - at + 4
