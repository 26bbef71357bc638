"""The last known picture of each stream, on disk: a tile shows something at once, and after an outage."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
from django.conf import settings

from omma_engine.playback.picture import encode_jpeg

KEPT_WIDTH = 960


@dataclass(frozen=True, slots=True)
class LastPicture:
    """A JPEG and when it was taken."""

    data: bytes
    capture_us: int


def remember(folder: Path, stream_id: UUID, picture: LastPicture) -> None:
    """Keep a picture in place of the one before; the file's time is the capture time."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{stream_id}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(picture.data)
    os.utime(name, ns=(picture.capture_us * 1000, picture.capture_us * 1000))
    Path(name).replace(_path(folder, stream_id))


def last_picture(folder: Path, stream_id: UUID, *, max_width: int | None = None) -> LastPicture | None:
    """Return the picture that was remembered, no wider than asked for."""
    path = _path(folder, stream_id)
    try:
        data, taken_ns = path.read_bytes(), path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    if max_width is not None and max_width < KEPT_WIDTH:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            return None
        data = encode_jpeg(pixels.astype(np.uint8, copy=False), max_width=max_width)
    return LastPicture(data, taken_ns // 1000)


def age_s(folder: Path, stream_id: UUID, now_us: int) -> float:
    """Return how old the remembered picture is, and infinity when there is none."""
    try:
        return now_us / 1e6 - _path(folder, stream_id).stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _path(folder: Path, stream_id: UUID) -> Path:
    return folder / f"{stream_id}.jpg"


def picture_folder() -> Path:
    """Return where the last pictures of all streams are."""
    return Path(settings.OMMA_DATA_DIR) / "thumbnails" / "live"
