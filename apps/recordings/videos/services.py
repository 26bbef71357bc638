"""What is done to videos: send one in parts or name its address, cancel it, delete it.

    video = begin_upload(actor=actor, wanted=NewVideo(account, "Yard", size_bytes=…, sha256=…))
    video = append_part(actor=actor, video=video, offset=0, data=…)    # until all is there
    video = finish_upload(actor=actor, video=video)                    # its job begins
    video = import_address(actor=actor, wanted=NewVideo(account, "Yard"), address="https://…")
    progress.progress_of(video)                                        # the job, then the analysis of it

`NewVideo.looks_for` names what to look for as soon as it is there: the analysis is `video.analysis_id`. The
camera that it becomes is deleted like any other, or with `delete_video`.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.cameras.services import delete_camera
from apps.catalog import workshop
from apps.catalog.models import ModelVersion
from apps.core import audit, jobs
from apps.core.exceptions import ConflictError, InvalidInputError, PayloadTooLargeError
from apps.core.labels import refuse_invisible
from apps.core.models import Task, TaskState
from apps.core.parts import check_part, check_whole, write_part
from apps.inference.analyses import services as analyses
from apps.inference.analyses.models import Analysis
from apps.recordings.videos import fetching, files
from apps.recordings.videos.models import Video, VideoState
from apps.streams.models import Volume
from omma_engine.ids import uuid7
from omma_engine.redaction import redact

JOB = "video.import"
KEPT_FOR = timedelta(days=1)
MOST_UNFINISHED = 10
OLDEST = timedelta(days=3650)
ROTATIONS = (0, 90, 180, 270)
_GOING_ON = [VideoState.RECEIVING, VideoState.WAITING]


@dataclass(frozen=True, slots=True)
class LookFor:
    """A model to run over the video when it is there, with values as an analytic has them."""

    model_version: ModelVersion
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewVideo:
    """What is said about a video before it comes. `start` is when its first picture was taken, if known.

    `rotation` turns the picture clockwise, whatever the file says. `takes_damaged`: what was cut off is taken
    as far as it goes.
    """

    account: Account
    name: str
    start: datetime | None = None
    rotation: int | None = None
    takes_damaged: bool = False
    size_bytes: int = 0
    sha256: str = ""
    looks_for: Sequence[LookFor] = ()


@transaction.atomic
def begin_upload(*, actor: Actor, wanted: NewVideo) -> Video:
    """Make room for a file, or refuse it by what is said about it."""
    _check(actor, wanted)
    if wanted.size_bytes > files.MAX_VIDEO_BYTES:
        raise PayloadTooLargeError(f"Expected at most {files.MAX_VIDEO_BYTES >> 20} MB.", field="size_bytes")
    if wanted.size_bytes < 1:
        raise InvalidInputError("The file is empty.", field="size_bytes")
    files.check_room(2 * wanted.size_bytes)
    video = _new(actor, wanted, expires_at=timezone.now() + KEPT_FOR)
    video.save(force_insert=True)
    _record(actor, "created", video)
    return video


@transaction.atomic
def append_part(*, actor: Actor, video: Video, offset: int, data: bytes) -> Video:
    """Add a part at `offset`, which is where the file ends; elsewhere it is refused, and where is said."""
    require(actor, Action.MANAGE_CAMERAS, resource_of(video))
    locked = _receiving(video)
    check_part(offset=offset, data=data, received_bytes=locked.received_bytes, size_bytes=locked.size_bytes)
    write_part(files.path_of(locked.pk), offset, data)
    locked.received_bytes = offset + len(data)
    locked.expires_at = timezone.now() + KEPT_FOR
    locked.save(update_fields=["received_bytes", "expires_at", "updated_at"])
    return locked


def finish_upload(*, actor: Actor, video: Video) -> Video:
    """Check the whole file against its hash, and have it imported."""
    require(actor, Action.MANAGE_CAMERAS, resource_of(video))
    is_right = check_whole(
        files.path_of(video.pk),
        received_bytes=video.received_bytes,
        size_bytes=video.size_bytes,
        sha256=video.sha256,
    )
    if not is_right:
        forget(video)
        raise InvalidInputError(
            "The file is not the one that was announced: its SHA-256 differs. Send it again.",
            code="wrong_checksum",
            field="sha256",
        )
    with transaction.atomic():
        return _enqueue(_receiving(video), actor)


@transaction.atomic
def import_address(*, actor: Actor, wanted: NewVideo, address: str) -> Video:
    """Have a video fetched and imported."""
    _check(actor, wanted)
    checked = fetching.check(address.strip())
    files.check_room(fetching.MAX_FETCHED_BYTES)
    video = _new(actor, wanted, address=address.strip())
    video.save(force_insert=True)
    _record(actor, "created", video, {"address": redact(checked.url)})
    return _enqueue(video, actor)


@transaction.atomic
def delete_video(*, actor: Actor, video: Video) -> None:
    """Delete a video with the camera that it became; one that is on its way in ends."""
    require(actor, Action.MANAGE_CAMERAS, resource_of(video))
    _record(actor, "deleted", video)
    camera = video.camera
    if video.task is not None and not jobs.cancel(video.task):
        Task.objects.filter(pk=video.task.pk, state=TaskState.RUNNING).update(state=TaskState.CANCELLED)
    if camera is not None:
        for analysis in Analysis.objects.filter(camera=camera):
            analyses.drop_analysis(analysis)
        delete_camera(actor=actor, camera=camera)
    forget(video)


def forget(video: Video) -> None:
    """Delete the row and what lies on disk of a video that became no camera."""
    Video.objects.filter(pk=video.pk).delete()
    transaction.on_commit(lambda: remove_files(video))


def remove_files(video: Video) -> None:
    """Delete what an import left: the file as it was sent, and segments without rows."""
    if video.task_id is not None:
        workshop.discard(video.task_id)
    files.path_of(video.pk).unlink(missing_ok=True)
    volume = Volume.objects.filter(pk=video.volume_id).first() if video.volume_id else None
    if volume is not None:
        shutil.rmtree(files.staging_of(volume.root, video.pk), ignore_errors=True)
        if not Video.objects.filter(pk=video.pk, state=VideoState.DONE).exists() and video.camera_id is None:
            shutil.rmtree(Path(volume.root) / "segments" / str(video.stream_id), ignore_errors=True)


def forget_old(now: datetime | None = None) -> str:
    """Forget uploads that nobody went on with: the periodic job."""
    old = Video.objects.filter(state=VideoState.RECEIVING, expires_at__lt=now or timezone.now())
    rows = list(old)
    for video in rows:
        forget(video)
    return f"{len(rows)} uploads"


def _check(actor: Actor, wanted: NewVideo) -> None:
    require(actor, Action.MANAGE_CAMERAS, Resource(wanted.account.pk))
    name = wanted.name.strip()
    refuse_invisible(name, field="name")
    if not name or len(name) > 120:
        raise InvalidInputError("Expected a name of 1 to 120 characters.", field="name")
    now = timezone.now()
    if wanted.start is not None and not now - OLDEST < wanted.start <= now:
        raise InvalidInputError("Expected a time of the last ten years.", field="start")
    if wanted.rotation is not None and wanted.rotation not in ROTATIONS:
        raise InvalidInputError("Expected 0, 90, 180 or 270.", field="rotation")
    if len(wanted.looks_for) > analyses.MOST_ANALYTICS:
        raise InvalidInputError(f"Expected at most {analyses.MOST_ANALYTICS}.", field="models")
    Account.objects.select_for_update(no_key=True).get(pk=wanted.account.pk)
    if Video.objects.filter(account=wanted.account, state__in=_GOING_ON).count() >= MOST_UNFINISHED:
        raise ConflictError(f"{MOST_UNFINISHED} videos are on their way already.", code="too_many_videos")


def _new(actor: Actor, wanted: NewVideo, **values: Any) -> Video:
    return Video(
        account=wanted.account,
        name=wanted.name.strip(),
        size_bytes=wanted.size_bytes,
        sha256=wanted.sha256.lower(),
        start=wanted.start,
        rotation=wanted.rotation,
        takes_damaged=wanted.takes_damaged,
        stream_id=uuid7(),
        created_by=actor.user_id,
        analysis={
            "models": [
                {"model_version": str(each.model_version.pk), "name": each.name, "values": each.values}
                for each in wanted.looks_for
            ]
        },
        **values,
    )


def _receiving(video: Video) -> Video:
    locked = Video.objects.select_for_update(of=("self",)).get(pk=video.pk)
    if locked.state != VideoState.RECEIVING:
        raise ConflictError("This video is whole already.", code="video_whole")
    return locked


def _enqueue(video: Video, actor: Actor) -> Video:
    video.state, video.expires_at = VideoState.WAITING, None
    video.task = jobs.enqueue(
        JOB,
        f"{JOB}:{video.pk}",
        {"video_id": str(video.pk)},
        account_id=video.account_id,
        created_by=actor.user_id,
    )
    video.save(update_fields=["state", "expires_at", "task", "updated_at"])
    return video


def resource_of(video: Video) -> Resource:
    """Return what a video is to the access decision."""
    return Resource(video.account_id, frozenset({video.camera_id}) if video.camera_id else frozenset())


def _record(actor: Actor, what: str, video: Video, detail: dict[str, object] | None = None) -> None:
    audit.record(
        actor.ref(),
        f"video.{what}",
        subject_kind="video",
        subject_id=video.pk,
        subject_name=video.name,
        account_id=video.account_id,
        detail=detail,
    )
