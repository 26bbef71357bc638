"""Clips for players: built once into the cache, under a name that is their exact content."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from av.error import FFmpegError
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.core.exceptions import ConflictError, InvalidInputError, NotVisibleError, UnavailableError
from apps.core.times import from_us
from apps.recordings.footage import footage_between
from omma_engine.errors import FootageMissingError, FootageMixedError, PlaybackError
from omma_engine.playback.clip import Clip, build_clip
from omma_engine.playback.slices import Selection

MAX_RANGE = timedelta(hours=1)
CACHE_BYTES = 4 * (1 << 30)
MAX_CLIP_BYTES = CACHE_BYTES
_CLOCK_SKEW = timedelta(minutes=1)  # how far a client may be ahead of us
CACHE_KEPT_S = 3600.0
LEFT_FREE_BYTES = 512 * (1 << 20)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class BuiltClip:
    """A clip and the footage in it."""

    clip: Clip
    selection: Selection


def clip_of_range(
    stream_id: UUID, start: datetime, end: datetime, *, longest: timedelta = MAX_RANGE
) -> BuiltClip:
    """Return the clip of a stream's `[start, end)`. Closes the database connection before it builds.

    Raises:
        NotVisibleError: nothing is recorded there, or not any more.
        ConflictError: the footage changes its kind (`detail["parts"]` has the uniform ranges), is damaged, or
            too much for one file.
    """
    now = timezone.now()
    check_range(start, end, now, longest=longest)
    if end > now + _CLOCK_SKEW:
        raise InvalidInputError("The end must not be in the future.", field="end")
    for is_last_try in (False, True):
        selection = footage_between(stream_id, start, end)
        release_connection()
        if selection is None:
            raise NotVisibleError("Nothing is recorded in this range.")
        try:
            return BuiltClip(_build(selection), selection)
        except FootageMissingError as error:
            if is_last_try:  # looked up again after retention took it: now it really is gone
                raise NotVisibleError("The footage of this range is gone.") from error
    raise AssertionError  # both rounds return or raise


def check_range(start: datetime, end: datetime, now: datetime, *, longest: timedelta = MAX_RANGE) -> None:
    """Refuse a range that is empty, too long for one answer, or has not begun yet."""
    if end <= start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if end - start > longest:
        hours = longest // timedelta(hours=1)
        text = "one hour" if hours == 1 else f"{hours} hours"
        raise InvalidInputError(f"A range can be {text} long at most.", field="end")
    if start > now + _CLOCK_SKEW:
        raise InvalidInputError("The start must not be in the future.", field="start")


def release_connection() -> None:
    """Give the database connection back before something long; a surrounding transaction keeps it."""
    if not connection.in_atomic_block:
        connection.close()


def cache_folder() -> Path:
    """Return where clips are kept between requests."""
    return Path(settings.OMMA_DATA_DIR) / "cache" / "clips"


def clean_cache() -> str:
    """Delete clips that nobody asked for lately, and the oldest used when they are too many."""
    now_s = time.time()
    files = sorted(_cache_files(cache_folder()), key=lambda one: one[1])
    total = sum(size for _, _, size in files)
    count = 0
    for path, used_s, size in files:
        if now_s - used_s > CACHE_KEPT_S or total > CACHE_BYTES:
            path.unlink(missing_ok=True)
            total -= size
            count += 1
    return f"{count} files deleted"


def _cache_files(folder: Path) -> Iterator[tuple[Path, float, int]]:
    for path in folder.glob("*") if folder.is_dir() else ():
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        yield path, status.st_mtime, status.st_size


def _build(selection: Selection) -> Clip:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, selection)
    try:
        return build_clip(selection, folder)
    except FootageMixedError as error:
        parts = [{"start": _text(start_us), "end": _text(end_us)} for start_us, end_us in error.parts]
        message = "The picture changes its kind within this range; ask for its parts."
        raise ConflictError(message, code="mixed_footage", detail={"parts": parts}) from error
    except FootageMissingError:
        raise
    except PlaybackError as error:
        raise ConflictError("The footage of this range cannot be read.", code=error.code) from error
    except (OSError, FFmpegError) as error:
        if error.errno in _NO_ROOM:
            raise _no_room() from error
        raise ConflictError("The footage of this range cannot be read.", code="disk_error") from error


def _require_room(folder: Path, selection: Selection) -> None:
    needed = sum(one.size for piece in selection.pieces for one in piece.fragments)
    if needed > MAX_CLIP_BYTES:
        message = (
            f"This is more than {MAX_CLIP_BYTES >> 30} GB; play it by its playlist, or ask for parts of it."
        )
        raise ConflictError(message, code="too_large", detail={"bytes": needed, "most": MAX_CLIP_BYTES})
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize - needed < LEFT_FREE_BYTES:
        raise _no_room()


def _no_room() -> UnavailableError:
    return UnavailableError("There is not enough free space to make this clip.", code="disk_full")


def _text(us: int) -> str:
    return from_us(us).isoformat().replace("+00:00", "Z")
