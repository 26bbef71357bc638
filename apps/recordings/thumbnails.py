"""Thumbnails: the best moment of a recording as a small JPEG below the data folder."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.core import jobs
from apps.core.exceptions import UnavailableError
from apps.core.models import Task
from apps.core.times import to_us
from apps.recordings.footage import slices_between
from apps.recordings.models import Recording, RecordingState
from apps.recordings.news import announce
from omma_engine.errors import PlaybackError

WIDTH_PX = 480
JOB_KIND = "thumbnail"
CATCH_UP_WITHIN = timedelta(days=1)


def request_thumbnail(recording: Recording) -> Task:
    """Ask for the picture of the best moment; asking again for the same moment does nothing."""
    moment = best_moment(recording)
    return jobs.enqueue(
        JOB_KIND,
        f"thumbnail:{recording.id}:{to_us(moment)}",
        {"recording_id": str(recording.id)},
        account_id=recording.account_id,
        camera_id=recording.camera_id,
    )


def best_moment(recording: Recording) -> datetime:
    """Return the moment to show: the best sighting where it was recorded, else the start."""
    moment = recording.best_at or recording.trigger_at or recording.start
    is_inside = recording.start <= moment < recording.end
    return moment if is_inside else max(recording.start, min(moment, recording.end - timedelta(seconds=1)))


def make_thumbnail(recording_id: UUID) -> bool:
    """Write a recording's thumbnail; tell whether there is one now.

    Raises:
        UnavailableError: its moment is not readable (any more, or yet).
    """
    # Not at the top: OpenCV and FFmpeg would weigh on every process that knows recordings.
    from omma_engine.playback.picture import encode_jpeg, grab_picture

    recording = Recording.objects.filter(pk=recording_id).first()
    if recording is None or recording.end <= recording.start:
        return False
    at = best_moment(recording)
    slices = slices_between(recording.stream_id, at, max(recording.end, at + timedelta(milliseconds=1)))
    try:
        picture = grab_picture(slices, at_us=to_us(at))
        data = encode_jpeg(picture.pixels, max_width=WIDTH_PX)
    except PlaybackError as error:
        raise UnavailableError(f"The footage of the thumbnail cannot be read: {error}") from error
    name = f"{recording.id.hex[-2:]}/{recording.id}-{to_us(at)}.jpg"
    _write(thumbnails_root() / name, data)
    return _attach(recording, name)


def thumbnails_root() -> Path:
    """Return the folder that `Recording.thumbnail` is relative to."""
    return Path(settings.OMMA_DATA_DIR) / "thumbnails" / "recordings"


def remove_thumbnail(recording: Recording) -> None:
    """Delete a recording's picture."""
    if recording.thumbnail:
        (thumbnails_root() / recording.thumbnail).unlink(missing_ok=True)


def catch_up() -> str:
    """Ask again for thumbnails that are missing: the periodic job."""
    finished = Recording.objects.filter(state=RecordingState.DONE, thumbnail="", end__gt=F("start"))
    recent = finished.filter(created_at__gt=timezone.now() - CATCH_UP_WITHIN).order_by("-start")[:100]
    for recording in recent:
        jobs.retry(request_thumbnail(recording))
    return f"{len(recent)} missing"


@jobs.handler(JOB_KIND, queue="recording")
def run_job(task: Task) -> dict[str, Any]:
    """Run the job of a thumbnail."""
    return {"made": make_thumbnail(UUID(task.parameters["recording_id"]))}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".part")
    waiting.write_bytes(data)
    waiting.replace(path)


def _attach(recording: Recording, name: str) -> bool:
    with transaction.atomic():
        before = recording.thumbnail
        if not Recording.objects.filter(pk=recording.pk).filter(~Q(thumbnail=name)).update(thumbnail=name):
            return before == name
        recording.thumbnail = name
        announce(recording, "updated")
    if before:
        (thumbnails_root() / before).unlink(missing_ok=True)
    return True
