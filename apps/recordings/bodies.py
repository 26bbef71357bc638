"""What a playback address sends: an open file, who may have it, and what is said about it."""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from apps.accounts.access import Resource
from apps.core.exceptions import NotVisibleError
from apps.core.http_range import OpenFile
from apps.core.times import from_us
from apps.recordings.clips import BuiltClip, clip_of_range
from apps.recordings.media_access import resource_of
from apps.recordings.models import LONGEST_RECORDING, Recording
from apps.recordings.thumbnails import thumbnails_root
from omma_engine.errors import FootageMissingError
from omma_engine.playback.files import open_beneath
from omma_engine.playback.slices import Selection

MP4 = "video/mp4"
JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Body:
    """An open file to be served once. `filename` is what a download is called, `facts` are headers."""

    file: OpenFile
    etag: str
    content_type: str
    resource: Resource
    filename: str
    facts: dict[str, str]


def recording_body(row: Recording, end: datetime | None = None) -> Body:
    """Return a recording as one MP4, up to `end`. Closes the database connection before it builds."""
    end = row.end if end is None else min(row.end, end)
    if row.end <= row.start or end <= row.start:
        raise NotVisibleError("Nothing is recorded yet.")
    built = clip_of_range(row.stream_id, row.start, end, longest=LONGEST_RECORDING)
    name = f"{row.camera.name} {row.start:%Y-%m-%d %H-%M-%S}.mp4"
    return clip_body(built, resource_of(row.account_id, row.camera_id), name)


def thumbnail_body(row: Recording) -> Body:
    """Return the picture of a recording."""
    if not row.thumbnail:
        raise NotVisibleError("There is no picture yet.")
    return _stored_picture(thumbnails_root(), row.thumbnail, resource_of(row.account_id, row.camera_id))


def clip_body(built: BuiltClip, resource: Resource, filename: str) -> Body:
    """Return a clip that was built."""
    return Body(
        OpenFile(os.open(built.clip.path, os.O_RDONLY | os.O_CLOEXEC)),
        built.clip.key,
        MP4,
        resource,
        filename,
        _facts_of(built.selection),
    )


def _facts_of(selection: Selection) -> dict[str, str]:
    """Say what the clip really covers: it starts at a keyframe and ends with a fragment."""
    return {
        "Omma-Start": _time_text(selection.start_us),
        "Omma-End": _time_text(selection.end_us),
        "Omma-Surplus-Ms": str(selection.surplus_us // 1000),
    }


def _stored_picture(root: Path, relative: str, resource: Resource) -> Body:
    try:
        file = OpenFile(open_beneath(root, relative))
    except FootageMissingError as error:
        raise NotVisibleError("This picture is gone.") from error
    etag = hashlib.sha256(f"{relative}:{file.size}".encode()).hexdigest()[:32]
    return Body(file, etag, JPEG, resource, "picture.jpg", {})


def _time_text(us: int) -> str:
    return f"{from_us(us):%Y-%m-%dT%H:%M:%S.%f}Z"
