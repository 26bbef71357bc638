"""What a tile shows: a camera, its stream, its state in words, and whether it is being recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.access import Action, Actor, Resource, may
from apps.cameras.models import Camera, Driver
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.streams.models import Mode, Source, SourceStatus, Stream

_STATUS_WORDS = {
    SourceStatus.PENDING: "starting",
    SourceStatus.CONNECTING: "connecting",
    SourceStatus.LIVE: "live",
    SourceStatus.RECONNECTING: "reconnecting",
    SourceStatus.ENDED: "ended",
    SourceStatus.FAILED: "no signal",
    SourceStatus.STOPPED: "paused",
}
_MODE_WORDS = {
    Mode.OFF: "not recorded",
    Mode.CONTINUOUS: "recorded all the time",
    Mode.EVENTS: "recorded on events",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One camera on the wall."""

    camera: Camera
    stream_id: UUID | None
    source_id: UUID | None
    status: str
    status_words: str
    mode_words: str
    driver_words: str
    has_picture: bool
    size_words: str
    reason: str
    retry_at: datetime | None
    is_recording: bool
    own_recording_id: UUID | None
    may_record: bool


def driver_words(camera: Camera) -> str:
    """Return how Omma talks to a camera: protocols in capitals, as people write them."""
    is_word = camera.driver in {Driver.FILE, Driver.SYNTHETIC}
    return camera.get_driver_display() if is_word else camera.driver.upper()


def tiles_for(actor: Actor, cameras: Sequence[Camera]) -> list[Tile]:
    """Return a tile for each camera, in their order, with two queries in all."""
    ids = [camera.id for camera in cameras]
    streams: dict[UUID, Stream] = {}
    for stream in Stream.objects.filter(camera_id__in=ids).select_related("source").order_by("name", "id"):
        if stream.name == "main" or stream.camera_id not in streams:
            streams[stream.camera_id] = stream
    growing = _growing_recordings(stream.id for stream in streams.values())
    return [_tile(actor, camera, streams.get(camera.id), growing) for camera in cameras]


def _growing_recordings(stream_ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Return the streams that are recorded, each with the recording that a person started, if one did."""
    growing: dict[UUID, UUID | None] = {}
    active = Recording.objects.filter(stream_id__in=list(stream_ids), state=RecordingState.ACTIVE)
    for stream_id, recording_id, cause in active.values_list("stream_id", "id", "cause_kind"):
        growing[stream_id] = recording_id if cause == CauseKind.USER else growing.get(stream_id)
    return growing


def _tile(actor: Actor, camera: Camera, stream: Stream | None, growing: Mapping[UUID, UUID | None]) -> Tile:
    status = SourceStatus(stream.source.status) if stream else SourceStatus.STOPPED
    if not camera.is_enabled:
        status = SourceStatus.STOPPED
    resource = Resource(account_id=camera.account_id, camera_ids=frozenset({camera.id}))
    return Tile(
        camera=camera,
        stream_id=stream.id if stream else None,
        source_id=stream.source_id if stream else None,
        status=status.value,
        status_words=_(_STATUS_WORDS[status]),
        mode_words=_(_MODE_WORDS[Mode(stream.mode)]) if stream else "",
        driver_words=driver_words(camera),
        has_picture=bool(stream and stream.width),
        size_words=f"{stream.width} \u00d7 {stream.height}" if stream and stream.width else "",
        reason=stream.source.status_detail if stream and status is not SourceStatus.LIVE else "",
        retry_at=_next_try(stream.source) if stream and camera.is_enabled else None,
        is_recording=bool(stream and stream.id in growing),
        own_recording_id=growing.get(stream.id) if stream else None,
        may_record=may(actor, Action.RECORD, resource).allowed,
    )


def _next_try(source: Source) -> datetime | None:
    """Return when a camera that is away is tried again; None where that moment has passed."""
    retry_at = source.retry_at
    return retry_at if retry_at is not None and retry_at > timezone.now() else None
