"""A preview strip: small pictures of a stretch of time in one JPEG, and where each lies in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omma_engine.playback.picture import encode_jpeg
from omma_engine.playback.slices import SegmentSlice
from omma_engine.playback.stills import grab_keyframe

COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Tile:
    """The picture that shows `[start_us, end_us)`, its corner in the sprite."""

    start_us: int
    end_us: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Strip:
    """A sprite as JPEG and its tiles, in order of time, all of one size."""

    jpeg: bytes
    size_wh: tuple[int, int]
    tiles: tuple[Tile, ...]


def build_strip(
    slices: Sequence[SegmentSlice],
    *,
    start_us: int,
    end_us: int,
    every_us: int,
    size_wh: tuple[int, int],
) -> Strip | None:
    """Return the strip of `[start_us, end_us)`, or None; what cannot be read has no tile.

    Decodes one keyframe a tile. Any thread or process; not the event loop.
    """
    pictures: list[NDArray[np.uint8]] = []
    tiles: list[Tile] = []
    width, height = size_wh
    for at_us in range(start_us, end_us, every_us):
        near = [one for one in slices if one.start_us <= at_us]
        picture = grab_keyframe(near[-3:], at_us=at_us, size_wh=size_wh)
        if picture is None:
            continue
        place = len(pictures)
        x, y = place % COLUMNS * width, place // COLUMNS * height
        tiles.append(Tile(at_us, min(at_us + every_us, end_us), x, y))
        pictures.append(picture.pixels)
    if not pictures:
        return None
    return Strip(encode_jpeg(_sprite(pictures, size_wh)), size_wh, tuple(tiles))


def _sprite(pictures: Sequence[NDArray[np.uint8]], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size_wh
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // COLUMNS)
    sprite = np.zeros((rows * height, columns * width, 3), dtype=np.uint8)
    for place, pixels in enumerate(pictures):
        x, y = place % COLUMNS * width, place // COLUMNS * height
        sprite[y : y + height, x : x + width] = pixels
    return sprite
