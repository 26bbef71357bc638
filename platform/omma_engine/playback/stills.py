"""Many small pictures out of long footage: keyframes only, so that each costs one decoded picture."""

from collections.abc import Sequence

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from omma_engine.errors import FootageDamagedError, PlaybackError
from omma_engine.playback.files import PieceFile
from omma_engine.playback.picture import Picture
from omma_engine.playback.slices import Piece, SegmentSlice, select_footage


def keyframe_piece(slices: Sequence[SegmentSlice], *, at_us: int) -> Piece:
    """Return the fragment whose keyframe is the last at or before a time that is recorded.

    Raises:
        FootageMissingError: this time is not recorded.
    """
    piece = select_footage(slices, start_us=at_us, end_us=at_us + 1).pieces[0]
    return Piece(piece.source, piece.fragments[:1])


def decode_keyframe(piece: Piece, *, size_wh: tuple[int, int]) -> Picture:
    """Decode the first picture of a piece, scaled to fit a size, on black where its shape is another.

    Raises:
        PlaybackError: the file is gone, or holds no picture there.
    """
    try:
        with (
            PieceFile.open_piece(piece) as file,
            av.open(file, mode="r", format="mp4") as source,
        ):
            source.streams.video[0].thread_count = 1
            frame = next(source.decode(video=0))
            return Picture(_fitted(frame, size_wh), piece.start_us)
    except (FFmpegError, StopIteration, IndexError) as error:
        message = f"expected a picture in {piece.source.path}, got none"
        raise FootageDamagedError(message) from error


def grab_keyframe(slices: Sequence[SegmentSlice], *, at_us: int, size_wh: tuple[int, int]) -> Picture | None:
    """Return a picture of this time, or None where nothing readable is recorded."""
    try:
        return decode_keyframe(keyframe_piece(slices, at_us=at_us), size_wh=size_wh)
    except PlaybackError:
        return None


def fitting_size(width: int, height: int, *, max_width: int) -> tuple[int, int]:
    """Return even sides of at most this width, in the shape of a picture.

    >>> fitting_size(1920, 1080, max_width=640)
    (640, 360)
    """
    wanted = min(max_width, width) if width else max_width
    tall = round(wanted * height / width) if width and height else wanted * 9 // 16
    return max(2, wanted & ~1), max(2, tall & ~1)


def _fitted(frame: av.VideoFrame, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size_wh
    scale = min(width / frame.width, height / frame.height)
    inner_w, inner_h = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = frame.reformat(width=inner_w, height=inner_h, format="bgr24").to_ndarray()
    if (inner_w, inner_h) == size_wh:
        return np.asarray(small, dtype=np.uint8)
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    top, left = (height - inner_h) // 2, (width - inner_w) // 2
    canvas[top : top + inner_h, left : left + inner_w] = small
    return canvas
