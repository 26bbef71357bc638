"""Pictures that stay: the crop of a track's best moment and the snapshot of an event, as JPEG files."""

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np

from omma_engine.detect.base import Picture
from omma_engine.detect.geometry import shrink_to_width
from omma_engine.track.lives import NormBox

logger = logging.getLogger(__name__)

_QUALITY = 82
_MAX_CROP_PX = 320
_MAX_SNAPSHOT_PX = 640
_RIM = 0.12  # of the box's size, so that a crop shows a little of what is around


def crop_of(picture: Picture, box_norm: NormBox) -> Picture:
    """Return a new array with the box and a rim around it, at most `_MAX_CROP_PX` wide."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box_norm
    rim_x, rim_y = (x2 - x1) * _RIM, (y2 - y1) * _RIM
    left, right = max(0, int((x1 - rim_x) * width)), min(width, int((x2 + rim_x) * width) + 1)
    top, bottom = max(0, int((y1 - rim_y) * height)), min(height, int((y2 + rim_y) * height) + 1)
    return shrink_to_width(np.ascontiguousarray(picture[top:bottom, left:right]), _MAX_CROP_PX)[0]


@dataclass(frozen=True, slots=True)
class ImageShape:
    """How a picture is kept: `jpeg` or `png`, a quality of 0 to 1, and at most so many pixels a side."""

    format: str = "jpeg"
    quality: float = 0.82
    max_px: int = 640


class PictureStore:
    """Writes below the data folder's `thumbnails/`, a folder a day, so that old days can be swept away.

    Files are put in place whole. A full disk costs the picture, is logged, and nothing else.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def save_crop(self, track_id: UUID, at_us: int, crop: Picture) -> str:
        """Write a track's crop and return its name relative to the data folder, or nothing if that failed."""
        return self._save(f"thumbnails/tracks/{_day(at_us)}/{track_id}.jpg", crop)

    def save_snapshot(self, event_id: UUID, at_us: int, picture: Picture) -> str:
        """Write an event's picture; return its name relative to the data folder, or nothing if it failed."""
        small, _ = shrink_to_width(picture, _MAX_SNAPSHOT_PX)
        return self._save(f"thumbnails/events/{_day(at_us)}/{event_id}.jpg", small)

    def save_overview(self, event_id: UUID, at_us: int, picture: Picture, shape: ImageShape) -> str:
        """Write a picture of one moment of an event, kept as it was asked for."""
        height, width = picture.shape[:2]
        small, _ = shrink_to_width(picture, max(1, round(shape.max_px * min(1.0, width / height))))
        ending = ".png" if shape.format == "png" else ".jpg"
        name = f"thumbnails/events/{_day(at_us)}/{event_id}-{at_us}{ending}"
        return self._save(name, small, quality=max(1, round(shape.quality * 100)))

    def _save(self, name: str, picture: Picture, *, quality: int = _QUALITY) -> str:
        ending = Path(name).suffix
        options = [cv2.IMWRITE_JPEG_QUALITY, quality] if ending == ".jpg" else []
        is_encoded, encoded = cv2.imencode(ending, picture, options)
        if not is_encoded:
            return ""
        path = self._data_dir / name
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(encoded.tobytes())
            unfinished.replace(path)
        except OSError as exc:
            logger.warning("picture %s cannot be written: %s", name, exc.strerror)
            return ""
        return name


def _day(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y%m%d")
