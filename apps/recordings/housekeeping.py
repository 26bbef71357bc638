"""What playback throws away in time: clips, and thumbnails whose recording is gone."""

import time
from pathlib import Path
from uuid import UUID

from apps.recordings.clips import clean_cache
from apps.recordings.models import Recording
from apps.recordings.thumbnails import thumbnails_root

_GRACE_S = 3600.0
_UUID_LENGTH = 36


def clean() -> str:
    """Clean the caches: the periodic job."""
    return f"clips: {clean_cache()}, thumbnails: {clean_thumbnails()}"


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


def _recording_id(path: Path) -> UUID | None:
    try:
        return UUID(path.name[:_UUID_LENGTH])
    except ValueError:
        return None
