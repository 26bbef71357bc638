"""Single pictures out of stored footage."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from omma_engine.errors import FootageDamagedError
from omma_engine.playback.files import PieceFile
from omma_engine.playback.slices import Piece, SegmentSlice, select_footage

_SECOND_US = 1_000_000
_JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: `(height, width, 3)` uint8, BGR, owned by the holder, captured at `at_us`."""

    pixels: NDArray[np.uint8]
    at_us: int


def grab_picture(slices: Sequence[SegmentSlice], *, at_us: int) -> Picture:
    """Decode the picture shown at `at_us`: the last one at or before it, else the first one after it.

    Decodes at most one group of pictures. Any thread or process; not the event loop.

    Raises:
        FootageMissingError: nothing is recorded around that time.
        FootageDamagedError: the group of pictures yields none.
    """
    end_us = max([at_us + 1, *(one.start_us + _SECOND_US for one in slices)])
    piece = select_footage(slices, start_us=at_us, end_us=end_us).pieces[0]
    with PieceFile.open_piece(piece) as file:
        return _decode(piece, file, at_us)


def _decode(piece: Piece, file: PieceFile, at_us: int) -> Picture:
    best: tuple[av.VideoFrame, int] | None = None
    origin: Fraction | None = None
    with av.open(file, mode="r", format="mp4") as source:
        for frame in source.decode(video=0):
            if frame.pts is None or frame.time_base is None:
                continue
            time = frame.pts * frame.time_base
            origin = time if origin is None else origin
            frame_us = piece.start_us + round((time - origin) * _SECOND_US)
            if best is not None and frame_us > at_us:
                break
            best = (frame, frame_us)
    if best is None:
        message = f"expected a picture in {piece.source.path}, got none"
        raise FootageDamagedError(message)
    return Picture(np.asarray(best[0].to_ndarray(format="bgr24"), dtype=np.uint8), best[1])


def encode_jpeg(pixels: NDArray[np.uint8], *, max_width: int | None = None) -> bytes:
    """Return a JPEG of `(height, width, 3)` uint8 BGR pixels, no wider than `max_width`."""
    height, width = pixels.shape[:2]
    if max_width is not None and width > max_width:
        size_wh = (max_width, max(1, round(height * max_width / width)))
        pixels = cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8)
    is_done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not is_done:
        message = f"expected a picture that JPEG takes, got {pixels.shape}"
        raise FootageDamagedError(message)
    return encoded.tobytes()
