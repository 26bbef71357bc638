"""A picture grabbed from footage is the one shown at that time."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from omma_engine.errors import FootageMissingError
from omma_engine.playback.picture import encode_jpeg, grab_picture
from tests.engine.playback.footage import Shot, number_in, record, record_run

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("after_us", "number"),
    [(0, 0), (99_999, 0), (100_000, 1), (3_450_000, 34), (4_000_000, 40), (5_999_999, 59), (-800_000, 0)],
)
def test_picture_is_the_last_one_at_or_before_the_time(tmp_path: Path, after_us: int, number: int) -> None:
    slices = [record(tmp_path, Shot(start_us=START_US, first=0, count=40, gop=30))]
    slices += record_run(tmp_path, start_us=START_US + 4 * SECOND_US, seconds=[2], first=40)

    picture = grab_picture(slices, at_us=START_US + after_us)

    assert number_in(cv2.cvtColor(picture.pixels, cv2.COLOR_BGR2GRAY).astype(np.uint8)) == number
    assert picture.at_us == START_US + number * 100_000


def test_time_without_footage_is_an_error(tmp_path: Path) -> None:
    slices = record_run(tmp_path, start_us=START_US, seconds=[2])

    with pytest.raises(FootageMissingError):
        grab_picture(slices, at_us=START_US + 9 * SECOND_US)


def test_jpeg_keeps_its_shape_at_the_wanted_width() -> None:
    pixels = np.zeros((90, 160, 3), dtype=np.uint8)

    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(pixels, max_width=80), np.uint8), cv2.IMREAD_COLOR)

    assert decoded is not None
    assert decoded.shape == (45, 80, 3)
