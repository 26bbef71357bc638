"""What playback throws away in time: clips, thumbnails without a recording, and strips without footage."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from apps.core.exceptions import InvalidInputError
from apps.recordings.clips import clean_cache
from apps.recordings.footage import segments_between
from apps.recordings.models import Recording
from apps.recordings.strips import HOUR, StripPlace, forget, hour_named, strips_root
from apps.recordings.thumbnails import thumbnails_root

_GRACE_S = 3600.0
_UUID_LENGTH = 36
STRIPS_KEPT_S = 7 * 86400.0
STRIPS_BYTES = 1 << 30


def clean() -> str:
    """Clean the caches: the periodic job."""
    return f"clips: {clean_cache()}, thumbnails: {clean_thumbnails()}, strips: {clean_strips()}"


def clean_thumbnails() -> str:
    """Delete thumbnails that no recording names (any more)."""
    limit_s = time.time() - _GRACE_S
    old = {
        path: _recording_id(path) for path in thumbnails_root().glob("*/*") if path.stat().st_mtime < limit_s
    }
    ids = [one for one in old.values() if one is not None]
    named = set(Recording.objects.filter(pk__in=ids).values_list("thumbnail", flat=True))
    orphans = [path for path in old if str(path.relative_to(thumbnails_root())) not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    return f"{len(orphans)} files deleted"


def clean_strips() -> str:
    """Delete strips that show footage which is gone, old ones, and the oldest where they are too many."""
    newest = sorted(((place.index.stat().st_mtime, place) for place in _strips()), key=lambda one: -one[0])
    count, kept_bytes, limit_s = 0, 0, time.time() - STRIPS_KEPT_S
    for made_s, place in newest:
        size = sum(path.stat().st_size for path in place.folder.glob(f"{place.name}[.-]*"))
        is_shown = segments_between(place.stream_id, place.hour, place.hour + HOUR).exists()
        if is_shown and made_s > limit_s and kept_bytes + size <= STRIPS_BYTES:
            kept_bytes += size
            continue
        forget(place)
        count += 1
    for folder in strips_root().glob("*"):
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()
    return f"{count} deleted"


def _strips() -> Iterator[StripPlace]:
    now = timezone.now()
    for path in strips_root().glob("*/*.json"):
        with contextlib.suppress(ValueError, InvalidInputError):  # no file of ours
            yield StripPlace(UUID(path.parent.name), hour_named(path.stem, now))


def _recording_id(path: Path) -> UUID | None:
    try:
        return UUID(path.name[:_UUID_LENGTH])
    except ValueError:
        return None
