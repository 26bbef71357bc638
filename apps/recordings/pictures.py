"""Pictures out of footage on demand, kept in the cache for as long as somebody looks at them."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.exceptions import NotVisibleError
from apps.core.times import to_us
from apps.recordings.clips import release_connection
from apps.recordings.footage import slices_between
from omma_engine.errors import PlaybackError
from omma_engine.ids import uuid7
from omma_engine.playback.picture import Picture, crop_box, encode_jpeg, grab_picture

CROP_WIDTH_PX = 320
KEPT_S = 24 * 3600.0
_AROUND = timedelta(seconds=2)


def picture_at(stream_id: UUID, moment: datetime, *, width_px: int) -> Path:
    """Return the picture that a stream showed at a time, as a JPEG file."""
    key = f"{stream_id}:{to_us(moment)}:{width_px}"
    return _cached(key, stream_id, moment, lambda picture: encode_jpeg(picture.pixels, max_width=width_px))


def crop_at(stream_id: UUID, moment: datetime, box_norm: Sequence[float]) -> Path:
    """Return what is in a normalised box of a stream at a time, as a JPEG file."""
    if len(box_norm) != 4:
        raise NotVisibleError("There is no picture of this.")
    key = f"{stream_id}:{to_us(moment)}:{list(box_norm)}"

    def encode(picture: Picture) -> bytes:
        return encode_jpeg(crop_box(picture.pixels, box_norm), max_width=CROP_WIDTH_PX)

    return _cached(key, stream_id, moment, encode)


def clean_pictures() -> str:
    """Delete pictures that nobody has looked at for a day: the periodic job's part."""
    limit_s = time.time() - KEPT_S
    old = (
        [path for path in _folder().glob("*") if path.stat().st_mtime < limit_s] if _folder().is_dir() else []
    )
    for path in old:
        path.unlink(missing_ok=True)
    return f"{len(old)} pictures deleted"


def _cached(key: str, stream_id: UUID, moment: datetime, encode: Callable[[Picture], bytes]) -> Path:
    path = _folder() / f"{hashlib.sha256(key.encode()).hexdigest()}.jpg"
    if path.exists():
        os.utime(path)
        return path
    slices = slices_between(stream_id, moment, moment + _AROUND)
    release_connection()
    try:
        data = encode(grab_picture(slices, at_us=to_us(moment)))
    except PlaybackError as error:
        raise NotVisibleError("The footage of this picture is not there.") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f"{uuid7()}.part")
    waiting.write_bytes(data)
    waiting.replace(path)
    return path


def _folder() -> Path:
    return Path(settings.OMMA_DATA_DIR) / "cache" / "pictures"
