"""A clip holds exactly the footage asked for, at its times, and seeks."""

import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Thread

import av
import pytest

from omma_engine.errors import FootageDamagedError, FootageMissingError, FootageMixedError
from omma_engine.playback.clip import ClipPart, build_clip, clip_key, clip_parts
from omma_engine.playback.slices import select_footage
from tests.engine.playback.footage import FRAME_US, Shot, index_fragments, read_numbers, record, record_run

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


def test_clip_of_one_segment_holds_exactly_the_covering_fragments(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[6])

    selection = select_footage(slices, start_us=START_US + 2_300_000, end_us=START_US + 4_100_000)
    clip = build_clip(selection, tmp_path / "cache")

    assert (selection.start_us, selection.end_us) == (START_US + 2 * SECOND_US, START_US + 5 * SECOND_US)
    assert selection.surplus_us == 300_000
    assert read_numbers(clip.path) == [(20 + n, n * FRAME_US) for n in range(30)]
    assert clip.size_bytes == clip.path.stat().st_size


def test_clip_joins_segments_without_a_seam(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[3, 2, 4])

    selection = select_footage(slices, start_us=START_US + SECOND_US, end_us=START_US + 8 * SECOND_US)
    clip = build_clip(selection, tmp_path / "cache")

    assert read_numbers(clip.path) == [(10 + n, n * FRAME_US) for n in range(70)]
    assert clip_parts(selection) == (ClipPart(0, START_US + SECOND_US, START_US + 8 * SECOND_US),)


def test_short_hole_keeps_the_distance_of_the_wall_clock(tmp_path: Path) -> None:
    before = record_run(tmp_path, start_us=START_US, seconds=[2])
    after = record_run(tmp_path, start_us=START_US + 6 * SECOND_US, seconds=[2], first=60)

    selection = select_footage(before + after, start_us=START_US, end_us=START_US + 8 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    assert times == [(n, n * FRAME_US) for n in [*range(20), *range(60, 80)]]
    assert selection.holes == ((START_US + 2 * SECOND_US, START_US + 6 * SECOND_US),)


def test_long_hole_takes_no_time_and_is_told(tmp_path: Path) -> None:
    later_us = START_US + 60 * SECOND_US
    before = record_run(tmp_path, start_us=START_US, seconds=[2])
    after = record_run(tmp_path, start_us=later_us, seconds=[2], first=600)

    selection = select_footage(before + after, start_us=START_US, end_us=later_us + 2 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    expected = [(n, n * FRAME_US) for n in range(20)] + [(600 + n, (20 + n) * FRAME_US) for n in range(20)]
    assert times == expected
    assert clip_parts(selection) == (
        ClipPart(0, START_US, START_US + 2 * SECOND_US),
        ClipPart(2 * SECOND_US, later_us, later_us + 2 * SECOND_US),
    )


def test_overlapping_successor_takes_over_at_its_first_keyframe(tmp_path: Path) -> None:
    before = record(tmp_path, Shot(start_us=START_US, first=0, count=40))
    after = record(tmp_path, Shot(start_us=START_US + 2_500_000, first=25, count=30))

    selection = select_footage([before, after], start_us=START_US, end_us=START_US + 10 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    assert times == [(n, n * FRAME_US) for n in range(55)]


@pytest.mark.parametrize("jitter_us", [-200_000, -100_000, -3, 3, 150_000])
def test_jitter_between_neighbours_costs_no_picture(tmp_path: Path, jitter_us: int) -> None:
    before, after = record_run(tmp_path, start_us=START_US, seconds=[2, 2])
    moved = replace(after, start_us=after.start_us + jitter_us)

    selection = select_footage([before, moved], start_us=START_US, end_us=START_US + 5 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    assert [number for number, _ in times] == list(range(40))
    assert [time for _, time in times] == sorted({time for _, time in times})
    assert times[-1][1] == pytest.approx(39 * FRAME_US + jitter_us, abs=12)
    assert len(clip_parts(selection)) == 1


def test_successor_that_ends_first_is_left_out(tmp_path: Path) -> None:
    before = record(tmp_path, Shot(start_us=START_US, first=0, count=40))
    aborted = record(tmp_path, Shot(start_us=START_US + SECOND_US, first=500, count=10))

    selection = select_footage([before, aborted], start_us=START_US, end_us=START_US + 10 * SECOND_US)

    assert [piece.source.path for piece in selection.pieces] == [before.path]


def test_start_goes_back_over_fragments_without_a_keyframe(tmp_path: Path) -> None:
    long_gop = record(tmp_path, Shot(start_us=START_US, first=0, count=60, gop=30))

    selection = select_footage([long_gop], start_us=START_US + 4_900_000, end_us=START_US + 5 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    assert sum(one.is_keyframe for one in long_gop.fragments) < len(long_gop.fragments)
    assert times[0] == (30, 0)
    assert selection.surplus_us == 1_900_000


def test_start_in_a_hole_is_the_next_keyframe(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])

    selection = select_footage(slices, start_us=START_US - 5 * SECOND_US, end_us=START_US + SECOND_US)

    assert (selection.start_us, selection.surplus_us) == (START_US, 0)


def test_open_segment_is_used_up_to_its_durable_bytes(tmp_path: Path) -> None:
    whole = record_run(tmp_path, start_us=START_US, seconds=[5])[0]
    third = whole.fragments[2]
    growing = replace(whole, durable_bytes=third.offset + third.size + 100)

    selection = select_footage([growing], start_us=START_US, end_us=START_US + 5 * SECOND_US)

    assert read_numbers(build_clip(selection, tmp_path / "cache").path)[-1][0] == 29


def test_pictures_in_another_order_than_decoded_keep_their_times(tmp_path: Path) -> None:
    name = "reordered"
    source = record(tmp_path, Shot(start_us=START_US, first=0, count=40, preset="ultrafast"))
    target = tmp_path / f"{name}.mp4"
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / source.path), "-c:v", "libx264", "-bf", "2"]
    command += ["-g", "10", "-movflags", "frag_keyframe+empty_moov+default_base_moof", str(target)]
    subprocess.run(command, check=True, timeout=60)

    fragments = index_fragments(target)
    size = target.stat().st_size
    reordered = replace(
        source, path=target.name, fragments=fragments, init_size=fragments[0].offset, durable_bytes=size
    )

    selection = select_footage([reordered], start_us=START_US + SECOND_US, end_us=START_US + 3 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    numbers = [number for number, _ in times]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {after - before for (_, before), (_, after) in pairwise(times)} == {FRAME_US}


def test_other_encoder_settings_of_the_same_size_join(tmp_path: Path) -> None:
    before = record(tmp_path, Shot(start_us=START_US, first=0, count=20))
    after = record(tmp_path, Shot(start_us=START_US + 2 * SECOND_US, first=20, count=20, preset="medium"))

    selection = select_footage([before, after], start_us=START_US, end_us=START_US + 4 * SECOND_US)
    times = read_numbers(build_clip(selection, tmp_path / "cache").path)

    assert times == [(n, n * FRAME_US) for n in range(40)]


def test_mixed_sizes_are_refused_and_split(tmp_path: Path) -> None:
    small = record(tmp_path, Shot(start_us=START_US, first=0, count=10))
    large = record(tmp_path, Shot(start_us=START_US + SECOND_US, first=0, count=10, size_wh=(192, 96)))
    selection = select_footage([small, large], start_us=START_US, end_us=START_US + 2 * SECOND_US)

    with pytest.raises(FootageMixedError, match="got h264 160x96, h264 192x96") as refused:
        build_clip(selection, tmp_path / "cache")

    assert refused.value.parts == (
        (START_US, START_US + SECOND_US),
        (START_US + SECOND_US, START_US + 2 * SECOND_US),
    )
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True


def test_sound_stays_beside_its_picture(tmp_path: Path) -> None:
    before = record(tmp_path, Shot(start_us=START_US, first=0, count=30, tone_hz=440))
    after = record(tmp_path, Shot(start_us=START_US + 3 * SECOND_US, first=30, count=30, tone_hz=440))

    selection = select_footage(
        [before, after], start_us=START_US + SECOND_US, end_us=START_US + 6 * SECOND_US
    )
    clip = build_clip(selection, tmp_path / "cache")

    assert read_numbers(clip.path) == [(10 + n, n * FRAME_US) for n in range(50)]
    with av.open(str(clip.path)) as source:
        times = [
            float(one.pts * one.time_base)
            for one in source.demux(audio=0)
            if one.pts is not None and one.size
        ]
    assert times == sorted(times)
    assert 0 <= times[0] < 0.2
    assert 4.7 < times[-1] <= 5.0


def test_index_of_a_clip_is_at_its_front_and_seeks(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[5, 5])
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 10 * SECOND_US)
    clip = build_clip(selection, tmp_path / "cache")

    data = clip.path.read_bytes()

    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data
    with av.open(str(clip.path)) as source:
        assert source.duration == 10 * SECOND_US
        source.seek(7 * SECOND_US)
        frame = next(source.decode(video=0))
        assert frame.pts is not None
        assert frame.pts * (frame.time_base or 0) == 7


def test_same_footage_is_built_once(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[5])
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 5 * SECOND_US)
    built: list[tuple[int, str]] = []

    def build() -> None:
        clip = build_clip(selection, tmp_path / "cache")
        built.append((clip.path.stat().st_ino, clip.key))

    threads = [Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(built) == 4
    assert len(set(built)) == 1
    assert not list((tmp_path / "cache").glob("*.part"))


def test_key_names_the_content(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[5])
    short = select_footage(slices, start_us=START_US, end_us=START_US + 2 * SECOND_US)
    same = select_footage(slices, start_us=START_US + 1, end_us=START_US + 2 * SECOND_US)
    longer = select_footage(slices, start_us=START_US, end_us=START_US + 3 * SECOND_US)

    assert clip_key(short) == clip_key(same) != clip_key(longer)


def test_vanished_file_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2, 2])
    (tmp_path / slices[1].path).unlink()
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 4 * SECOND_US)

    with pytest.raises(FootageMissingError, match="No such file"):
        build_clip(selection, tmp_path / "cache")

    assert not list((tmp_path / "cache").glob("*.part"))
    assert not list((tmp_path / "cache").glob("*.mp4"))


def test_garbage_in_a_file_says_so(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])
    path = tmp_path / slices[0].path
    path.write_bytes(b"\x5a" * path.stat().st_size)
    selection = select_footage(slices, start_us=START_US, end_us=START_US + 2 * SECOND_US)

    with pytest.raises(FootageDamagedError, match="got unreadable data"):
        build_clip(selection, tmp_path / "cache")


def test_nothing_recorded_is_an_error(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])

    with pytest.raises(FootageMissingError, match="got none"):
        select_footage(slices, start_us=START_US + 2 * SECOND_US, end_us=START_US + 9 * SECOND_US)


@pytest.mark.parametrize(
    "path", ["../x.mp4", "/etc/passwd", "a/../../x", "", "link.mp4", "folder/link/x.mp4"]
)
def test_paths_that_leave_the_volume_are_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "volume"
    (root / "folder").mkdir(parents=True)
    outside = record_run(tmp_path, start_us=START_US, seconds=[1])[0]
    (root / "link.mp4").symlink_to(tmp_path / outside.path)
    (root / "folder" / "link").symlink_to(tmp_path)
    (tmp_path / "x.mp4").write_bytes((tmp_path / outside.path).read_bytes())
    slices = [replace(outside, root=root, path=path)]
    selection = select_footage(slices, start_us=START_US, end_us=START_US + SECOND_US)

    with pytest.raises(FootageMissingError):
        build_clip(selection, tmp_path / "cache")
