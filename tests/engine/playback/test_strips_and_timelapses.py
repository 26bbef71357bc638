"""Strips and time-lapses show the right moments, skip what is not there, and survive spoiled files."""

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from omma_engine.playback.stills import fitting_size, grab_keyframe
from omma_engine.playback.strip import COLUMNS, build_strip
from omma_engine.playback.timelapse import join_parts, write_part
from tests.engine.playback.footage import Shot, number_in, read_numbers, record, record_run

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
SIZE = (160, 96)


def gray_in(jpeg: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, dtype=np.uint8)


def numbers_in(sprite: NDArray[np.uint8], tiles: list[tuple[int, int]]) -> list[int]:
    return [number_in(sprite[y : y + SIZE[1], x : x + SIZE[0]]) for x, y in tiles]


def test_a_strip_shows_each_moment_that_is_recorded(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[10, 20])
    slices += record_run(tmp_path, start_us=START_US + 50 * SECOND_US, seconds=[10], first=500)

    strip = build_strip(
        slices, start_us=START_US, end_us=START_US + 60 * SECOND_US, every_us=2 * SECOND_US, size_wh=SIZE
    )

    assert strip is not None
    sprite = gray_in(strip.jpeg)
    shown = [*range(0, 30, 2), *range(50, 60, 2)]
    assert [(one.start_us - START_US) // SECOND_US for one in strip.tiles] == shown
    assert numbers_in(sprite, [(one.x, one.y) for one in strip.tiles]) == [10 * one for one in shown]
    assert sprite.shape == (96, COLUMNS * 160)


def test_spoiled_and_vanished_files_only_leave_their_tiles_out(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2, 2, 2])
    (tmp_path / slices[0].path).unlink()
    path = tmp_path / slices[1].path
    path.write_bytes(b"\xa5" * path.stat().st_size)

    strip = build_strip(
        slices, start_us=START_US, end_us=START_US + 6 * SECOND_US, every_us=SECOND_US, size_wh=SIZE
    )
    nothing = build_strip(
        slices[:2], start_us=START_US, end_us=START_US + 6 * SECOND_US, every_us=SECOND_US, size_wh=SIZE
    )

    assert strip is not None
    assert [one.start_us - START_US for one in strip.tiles] == [4 * SECOND_US, 5 * SECOND_US]
    assert nothing is None


def test_pictures_of_another_shape_stand_on_black(tmp_path: Path) -> None:
    one = record(tmp_path, Shot(start_us=START_US, first=4095, count=10, size_wh=(96, 96)))

    picture = grab_keyframe([one], at_us=START_US, size_wh=SIZE)

    assert picture is not None
    assert picture.pixels.shape == (96, 160, 3)
    assert picture.pixels[:, :30].max() < 20 < picture.pixels[48, 80].min()


def test_a_timelapse_is_its_parts_one_after_another(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[30])
    parts = [tmp_path / f"{n}.mp4" for n in range(2)]
    for number, part in enumerate(parts):
        moments = range(number * 15, number * 15 + 15, 3)
        grabbed = [grab_keyframe(slices, at_us=START_US + at * SECOND_US, size_wh=SIZE) for at in moments]
        assert write_part([one.pixels for one in grabbed if one], part, frame_rate=5, size_wh=SIZE) == 5

    join_parts(parts, tmp_path / "whole.mp4", frame_rate=5)

    assert read_numbers(tmp_path / "whole.mp4") == [(30 * n, n * 200_000) for n in range(10)]
    with av.open(str(tmp_path / "whole.mp4")) as whole:
        assert whole.streams.video[0].average_rate == 5
    data = (tmp_path / "whole.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_part_without_pictures_is_no_file(tmp_path: Path) -> None:
    assert write_part([], tmp_path / "none.mp4", frame_rate=5, size_wh=SIZE) == 0
    assert list(tmp_path.iterdir()) == []


def test_sides_are_even_and_keep_the_shape() -> None:
    assert fitting_size(1920, 1080, max_width=1281) == (1280, 720)
    assert fitting_size(640, 480, max_width=1280) == (640, 480)
    assert fitting_size(0, 0, max_width=320) == (320, 180)
