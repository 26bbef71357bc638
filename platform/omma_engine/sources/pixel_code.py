"""A small machine-readable patch inside a picture: which stream, which frame, when.

The patch survives encoders because every bit is a square of `CELL_PX` pixels and is read from the middle of
its square, against a threshold taken from the patch's own first row. It does not survive scaling.

Layout, 32 by 5 cells, most significant bit first: one row of alternating black and white, then 128 bits:
stream id (16), frame counter (32), UTC in microseconds (64), CRC-16/CCITT of those 112 bits.
"""

import binascii
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL_PX = 4
COLUMNS = 32
ROWS = 5
WIDTH_PX = COLUMNS * CELL_PX
HEIGHT_PX = ROWS * CELL_PX

_BLACK, _WHITE = 64, 192  # low contrast: a motion detector must not see it change
_LEAST_CONTRAST = 40.0
_MARGIN_PX = 1  # ringing of a block codec sits at the edges of a cell
_SYNC = np.arange(COLUMNS) % 2 == 1


@dataclass(frozen=True, slots=True)
class PixelCode:
    """What one patch says: `stream_id` has 16 bits, `counter` 32, `utc_us` 64."""

    stream_id: int
    counter: int
    utc_us: int


def draw_code(picture: NDArray[np.uint8], code: PixelCode, *, origin_xy: tuple[int, int] = (0, 0)) -> None:
    """Draw `code` into `picture` in place.

    `picture` is `(H, W)` luma or `(H, W, 3)` BGR uint8. An origin that is a multiple of 8 suits H.264 best.
    Raises `ValueError` when the patch does not fit.
    """
    x, y = origin_xy
    if x < 0 or y < 0 or y + HEIGHT_PX > picture.shape[0] or x + WIDTH_PX > picture.shape[1]:
        message = f"the patch of {WIDTH_PX}x{HEIGHT_PX} at {x},{y} does not fit into {picture.shape[:2]}"
        raise ValueError(message)
    levels = np.where(_cells_of(code), np.uint8(_WHITE), np.uint8(_BLACK))
    patch = levels.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)
    area = picture[y : y + HEIGHT_PX, x : x + WIDTH_PX]
    area[...] = patch if picture.ndim == 2 else patch[:, :, np.newaxis]


def read_code(luma: NDArray[np.uint8], *, origin_xy: tuple[int, int] = (0, 0)) -> PixelCode | None:
    """Return what the patch says, or None when there is none that passes its checksum.

    `luma` is `(H, W)` uint8: the luma plane of a decoded frame, or a grey picture.
    """
    x, y = origin_xy
    area = luma[y : y + HEIGHT_PX, x : x + WIDTH_PX]
    if area.shape != (HEIGHT_PX, WIDTH_PX):
        return None
    inner = area.reshape(ROWS, CELL_PX, COLUMNS, CELL_PX)[
        :, _MARGIN_PX:-_MARGIN_PX, :, _MARGIN_PX:-_MARGIN_PX
    ]
    means = inner.mean(axis=(1, 3))
    white, black = means[0][_SYNC], means[0][~_SYNC]
    if white.min() - black.max() < _LEAST_CONTRAST:
        return None
    threshold = (white.mean() + black.mean()) / 2
    return _code_of(means[1:] > threshold)


def _cells_of(code: PixelCode) -> NDArray[np.bool_]:
    body = struct.pack(">HIQ", code.stream_id, code.counter & 0xFFFFFFFF, code.utc_us)
    words = np.frombuffer(body + struct.pack(">H", binascii.crc_hqx(body, 0xFFFF)), dtype=np.uint8)
    bits = np.unpackbits(words).reshape(ROWS - 1, COLUMNS).astype(np.bool_)
    return np.vstack([_SYNC, bits])


def _code_of(bits: NDArray[np.bool_]) -> PixelCode | None:
    words = np.packbits(bits.reshape(-1)).tobytes()
    if binascii.crc_hqx(words[:14], 0xFFFF) != struct.unpack(">H", words[14:])[0]:
        return None
    return PixelCode(*struct.unpack(">HIQ", words[:14]))
