"""Raw pictures as packets: their rate is told as the source knows it, and never made up."""

from uuid import UUID

import numpy as np
import pytest

from omma_engine.sources.base import RawPicture, packet_source
from omma_engine.sources.pictures import EncodedPictures
from omma_engine.types import SourceKind, SourceSpec

NOBODY = UUID(int=0)


class Pictures:
    """A raw source that may know how fast it is."""

    def __init__(self, frame_rate: float) -> None:
        self.frame_rate = frame_rate

    def open(self) -> None: ...
    def close(self) -> None: ...

    def read(self) -> RawPicture:
        return RawPicture(np.zeros((48, 64, 3), np.uint8), 1_000_000)


def spec(kind: SourceKind, url: str, **options: object) -> SourceSpec:
    return SourceSpec(NOBODY, NOBODY, NOBODY, kind, url, (), "", options)


@pytest.mark.parametrize(
    ("known", "options", "told"),
    [
        (30000 / 1001, {}, (30000, 1001)),
        (0.0, {"fps": 12}, (12, 1)),
        (15.0, {"fps": 12}, (15, 1)),
        (0.0, {}, (0, 1)),
    ],
)
def test_the_rate_is_what_the_source_or_its_owner_says(
    known: float, options: dict[str, int], told: tuple[int, int]
) -> None:
    source = EncodedPictures(Pictures(known), spec(SourceKind.MJPEG, "http://camera.local/", **options))

    assert source.open().video.frame_rate == told


def test_a_drawn_scene_tells_its_own_rate() -> None:
    source = packet_source(spec(SourceKind.SYNTHETIC, "synthetic:room?fps=7&width=320&height=240"))

    assert source.open().video.frame_rate == (7, 1)
    source.close()
