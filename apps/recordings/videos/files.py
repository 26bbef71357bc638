"""Where a video's bytes lie on their way in."""

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.exceptions import ConflictError

MAX_VIDEO_BYTES = 4 << 30
RESERVE_BYTES = 1 << 30  # stay free


def path_of(video_id: UUID) -> Path:
    """Return where the file as it was sent lies until it is imported."""
    return Path(settings.OMMA_DATA_DIR) / "videos" / f"{video_id}.part"


def staging_of(volume_root: str, video_id: UUID) -> Path:
    """Return where segments are written before they have rows: on their volume, beside those that have."""
    return Path(volume_root) / "incoming" / str(video_id)


def check_room(size_bytes: int) -> None:
    """Refuse what would fill the disk: recordings may lie on it."""
    folder = path_of(UUID(int=0)).parent
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free - size_bytes < RESERVE_BYTES:
        raise ConflictError("There is no room for this file.", code="no_room", field="size_bytes")
