"""The job that makes a camera of a video: fetch it, have a child write its segments, and make the rows.

Everything is done before there is a row: segments are written beside those of the volume, put in place by one
rename, and then camera, stream and segments appear in one transaction. What fails leaves nothing.
"""

import json
import shutil
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.access import Actor, system_actor
from apps.cameras.services import add_imported_camera
from apps.catalog import workshop
from apps.catalog.models import ModelVersion
from apps.core import jobs
from apps.core.exceptions import ConflictError, InvalidInputError, OmmaError, UnavailableError
from apps.core.models import Task, TaskState
from apps.core.times import from_us, to_us
from apps.inference.analyses.services import NewAnalysis, draft_analytic, start_analysis
from apps.recordings.models import RetentionPolicy
from apps.recordings.policies import MAX_HOURS
from apps.recordings.videos import fetching, files, services
from apps.recordings.videos.models import Video, VideoState
from apps.streams.importing import add_imported_segments, add_imported_stream
from apps.streams.models import Stream, Volume, VolumeKind, VolumeState
from apps.streams.volume_choice import recording_order, room_of, volumes_of_host
from omma_engine.capture.messages import NewsKind
from omma_engine.record.recover import sync_folder

_FETCH_SHARE = 0.3


def run(task: Task) -> dict[str, Any]:
    """Take a turn at an import; the queue calls it until it is done."""
    video = Video.objects.filter(pk=task.parameters["video_id"]).select_related("account").first()
    if video is None:
        workshop.discard(task.id)
        return {}
    if video.state == VideoState.DONE:
        return {"camera": str(video.camera_id)}
    try:
        made = _made(video, task)
        camera_id = _adopt(video, json.loads(made.read_text()), task.id)
    except OmmaError as error:
        if not error.is_retryable or task.attempts >= jobs.MAX_ATTEMPTS:
            _fail(video, error)
        raise
    workshop.discard(task.id)
    files.path_of(video.pk).unlink(missing_ok=True)
    return {"camera": str(camera_id)}


def _made(video: Video, task: Task) -> Path:
    """Return the file of news that the child gives; raises `jobs.Unfinished` while it works."""
    source = files.path_of(video.pk)
    if video.address and not video.size_bytes:
        size = fetching.fetch(
            video.address, source, report=lambda share: jobs.report_progress(task, _FETCH_SHARE * share)
        )
        video.size_bytes = video.received_bytes = size
        video.save(update_fields=["size_bytes", "received_bytes", "updated_at"])
    volume = _volume_for(video)
    job = {
        "kind": "import",
        "source": str(source),
        "root": str(files.staging_of(volume.root, video.pk)),
        "volume_id": str(volume.pk),
        "stream_id": str(video.stream_id),
        "start_us": None if video.start is None else to_us(video.start),
        "rotation": video.rotation,
        "takes_damaged": video.takes_damaged,
    }
    return workshop.take_turn(task, job)


def _volume_for(video: Video) -> Volume:
    """Return the volume that the video goes to: the one begun with, else the ready one with the most room."""
    if video.volume_id is not None:
        return Volume.objects.get(pk=video.volume_id)
    rows = volumes_of_host(socket.gethostname(), Volume.objects.filter(kind=VolumeKind.FOLDER).order_by("id"))
    ready = [volume for volume in recording_order(rows) if volume.state == VolumeState.READY]
    chosen = next((volume for volume in ready if room_of(volume) > 2 * video.size_bytes), None)
    if chosen is None:
        raise ConflictError("No volume has room for this video.", code="no_room")
    video.volume_id = chosen.pk
    video.save(update_fields=["volume_id", "updated_at"])
    return chosen


def _adopt(video: Video, told: dict[str, Any], task_id: UUID) -> UUID:
    """Put the segments in place, and make all rows at once. May be repeated."""
    volume = _volume_for(video)
    _put_in_place(volume, video)
    with transaction.atomic():
        locked = (
            Video.objects.select_for_update(of=("self",))
            .select_related("account")
            .filter(pk=video.pk)
            .first()
        )
        if locked is None or not Task.objects.filter(pk=task_id, state=TaskState.RUNNING).exists():
            raise InvalidInputError("The import was cancelled.", code="cancelled")
        actor = system_actor()
        camera = add_imported_camera(
            actor=actor, account=locked.account, name=locked.name, origin=str(locked.pk)
        )
        stream = add_imported_stream(camera, locked.stream_id, told["facts"])
        add_imported_segments(stream, told["news"])
        RetentionPolicy.objects.create(
            account=locked.account, camera=camera, max_age_hours=MAX_HOURS, max_bytes=(1 << 62)
        )
        locked.camera, locked.facts, locked.state = camera, told["facts"], VideoState.DONE
        locked.analysis_id = _begin_analysis(locked, stream, told, actor)
        locked.save(update_fields=["camera", "facts", "state", "analysis_id", "updated_at"])
        return camera.pk


def _put_in_place(volume: Volume, video: Video) -> None:
    """Move the stream's folder to where segments are; a crash before or after leaves it in one of the two."""
    staging = files.staging_of(volume.root, video.pk)
    waiting = staging / "segments" / str(video.stream_id)
    place = Path(volume.root) / "segments" / str(video.stream_id)
    try:
        if waiting.exists():
            place.parent.mkdir(exist_ok=True)
            waiting.rename(place)
            sync_folder(place.parent)
        shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise UnavailableError(f"The footage cannot be put in place: {error.strerror}.") from error
    if not place.is_dir():
        raise InvalidInputError("The footage is gone.", code="work_failed")


def _begin_analysis(video: Video, stream: Stream, told: dict[str, Any], actor: Actor) -> UUID | None:
    choices = video.analysis.get("models", [])
    if not choices:
        return None
    versions = {
        str(row.pk): row
        for row in ModelVersion.objects.select_related("model").filter(
            pk__in=[each["model_version"] for each in choices]
        )
    }
    drafts = [
        draft_analytic(
            stream=stream,
            model_version=versions[each["model_version"]],
            name=each["name"],
            values=each["values"],
        )
        for each in choices
        if each["model_version"] in versions
    ]
    opened = [news for news in told["news"] if news["kind"] == NewsKind.SEGMENT_OPEN]
    closed = [news for news in told["news"] if news["kind"] == NewsKind.SEGMENT_CLOSE]
    wanted = NewAnalysis(
        stream,
        from_us(opened[0]["start_us"]),
        from_us(closed[-1]["end_us"]) + timedelta(seconds=1),
        analytics=drafts,
        name=video.name,
    )
    return start_analysis(actor=actor, wanted=wanted).pk


def _fail(video: Video, error: OmmaError) -> None:
    """Note what is wrong; nothing else of the video stays."""
    Video.objects.filter(pk=video.pk, state=VideoState.WAITING).update(
        state=VideoState.FAILED, error=error.message[:500], error_code=error.error_code[:32]
    )
    services.remove_files(video)
