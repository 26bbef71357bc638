"""Describes finished recordings: which objects were in them, how sure that is, and how many bytes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from apps.core.outbox import OutboxRow
from apps.dialects.spectrax.models import DetectedObject, SpectraxClip
from apps.inference.cleaning import FOUND_KEPT
from apps.inference.models import Track
from apps.recordings.footage import footage_between
from apps.recordings.models import Recording, RecordingState
from apps.streams.coverage import id_ceiling, id_floor
from apps.streams.models import Stream

LONGEST_TRACK = timedelta(hours=1)  # what began earlier before a recording is not looked for
MOST_OBJECTS = 200
CATCH_UP_BATCH = 500


def take_news(row: OutboxRow) -> None:
    """Describe the recording that the news is about: the outbox subscriber."""
    if row.subject_id is not None:
        describe(row.subject_id)


def catch_up() -> str:
    """Describe recordings that were made before this was there to listen: the periodic job."""
    return f"{_describe_next()} described"


def catch_up_all() -> None:
    """Describe all recordings that are not."""
    while _describe_next():
        pass


def _describe_next() -> int:
    known = SpectraxClip.objects.filter(recording_id=OuterRef("pk"))
    rows = Recording.objects.filter(~Exists(known), state=RecordingState.DONE, end__gt=F("start"))
    waiting = list(rows.order_by("-start").values_list("pk", flat=True)[:CATCH_UP_BATCH])
    for recording_id in waiting:
        describe(recording_id)
    return len(waiting)


@transaction.atomic
def describe(recording_id: UUID, now: datetime | None = None) -> None:
    """Write down what a finished recording shows; again and again, as it may grow, shrink or get labels."""
    rows = Recording.objects.select_for_update(no_key=True, of=("self",)).select_related("stream")
    recording = rows.filter(pk=recording_id, state=RecordingState.DONE, end__gt=F("start")).first()
    if recording is None:
        return
    values = {"size_bytes": _bytes_of(recording), **_seen(recording, now or timezone.now())}
    SpectraxClip.objects.update_or_create(
        recording=recording,
        defaults=values,
        create_defaults={
            "account_id": recording.account_id, "camera_id": recording.camera_id, **values,
        },
    )  # fmt: skip


def _seen(recording: Recording, now: datetime) -> dict[str, Any]:
    is_forgotten = recording.start < now - FOUND_KEPT
    if is_forgotten and SpectraxClip.objects.filter(pk=recording.pk).exists():
        return {}  # its tracks are gone, and what was written down of them is not
    found = [_object(track, recording.stream) for track in _tracks_in(recording)]
    found += _without_track(recording, {one["class"] for one in found})
    found.sort(key=lambda one: (one["class"] not in recording.labels, -one["confidence"]))
    return {
        "objects_detected": found,
        "classes": sorted({one["class"] for one in found}),
        "confidence": max((one["confidence"] for one in found), default=0.0),
    }


def _tracks_in(recording: Recording) -> Iterable[Track]:
    """Return what any analytic of the camera followed during the recording, the surest first."""
    began_after = recording.start - LONGEST_TRACK
    return Track.objects.filter(
        account_id=recording.account_id,
        camera_id=recording.camera_id,
        start__gt=began_after,
        start__lt=recording.end,
        end__gt=recording.start,
        id__gte=id_floor(began_after),
        id__lte=id_ceiling(recording.end),
    ).order_by("-confidence", "id")[:MOST_OBJECTS]


def _object(track: Track, stream: Stream) -> DetectedObject:
    sides = (stream.width, stream.height) * 2
    return {
        "class": track.label,
        "confidence": round(track.confidence, 4),
        "bbox": [round(part * side) for part, side in zip(track.best_box, sides, strict=False)],
        "tracker_id": track.number,
    }


def _without_track(recording: Recording, found: set[str]) -> list[DetectedObject]:
    """Return the labels that a rule saw and no track tells of (any more); where they were is not known."""
    confidence = round(recording.confidence or 0.0, 4)
    missing = [label for label in recording.labels if label not in found]
    return [{"class": label, "confidence": confidence, "bbox": []} for label in missing]


def _bytes_of(recording: Recording) -> int:
    """Return how much footage the recording holds."""
    selection = footage_between(recording.stream_id, recording.start, recording.end, with_absent=True)
    if selection is None:
        return 0
    return sum(
        piece.source.init_size + sum(fragment.size for fragment in piece.fragments)
        for piece in selection.pieces
    )
