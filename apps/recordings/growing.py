"""Recordings that causes open and footage fills: opened or extended by a cause, grown and closed in time.

Every change of a stream's recordings happens under `lock_stream`, so that two causes at once open one
recording and retention never takes what is being held.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.core.numbering import next_number
from apps.core.times import from_us
from apps.recordings.footage import bounds_of, footage_between
from apps.recordings.models import Recording, RecordingState
from apps.recordings.news import announce
from apps.recordings.thumbnails import request_thumbnail
from apps.streams.models import Stream
from omma_engine.playback.slices import Selection

SPLIT_AFTER = timedelta(seconds=600)
JOIN_WITHIN = timedelta(seconds=3)  # footage becomes durable within this time; a nearer cause joins
PATIENCE = timedelta(seconds=15)  # how long footage that is still wanted may take to arrive


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is recorded: a snapshot that outlives the cause itself."""

    kind: str
    id: UUID | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a cause saw: from `at` until `until`, with its rolls before and after (None: the stream's own)."""

    at: datetime
    until: datetime
    label: str = ""
    confidence: float | None = None
    pre_roll_s: int | None = None
    post_roll_s: int | None = None

    def wanted(self, stream: Stream) -> tuple[datetime, datetime]:
        """Return the interval that is to be recorded."""
        before_s = stream.pre_roll_s if self.pre_roll_s is None else self.pre_roll_s
        after_s = stream.post_roll_s if self.post_roll_s is None else self.post_roll_s
        return self.at - timedelta(seconds=before_s), self.until + timedelta(seconds=after_s)


def lock_stream(stream_id: UUID) -> Stream:
    """Lock a stream's recordings until the transaction ends. Segments and gaps are inserted meanwhile."""
    return Stream.objects.select_for_update(no_key=True, of=("self",)).get(pk=stream_id)


@transaction.atomic
def open_or_extend(*, stream_id: UUID, cause: Cause, sighting: Sighting) -> Recording:
    """Make sure that a sighting is recorded: extend the recording it overlaps, or open one.

    Overlapping causes of one kind share a recording: its labels are merged, its confidence is the best.
    """
    stream = lock_stream(stream_id)
    wanted_start, wanted_until = sighting.wanted(stream)
    recording = _joinable(stream, cause, wanted_start, wanted_until)
    if recording is not None:
        _extend(recording, sighting, wanted_start, wanted_until)
        return recording
    growing = Recording.objects.filter(
        stream=stream, cause_kind=cause.kind, state=RecordingState.ACTIVE
    ).first()
    if growing is not None and wanted_until < growing.wanted_start:
        return _open(stream, cause, sighting, state=RecordingState.DONE)  # late news of what is over already
    if growing is not None:
        settle_bounds(growing, growing.until or growing.end)
        _close_or_remove(growing)
    return _open(stream, cause, sighting)


@transaction.atomic
def grow(recording_id: UUID, now: datetime) -> None:
    """Move a growing recording's bounds to the footage there is; split it when long, close it when whole."""
    found = Recording.objects.filter(pk=recording_id).values_list("stream_id", flat=True).first()
    if found is None:
        return
    lock_stream(found)
    recording = Recording.objects.filter(pk=recording_id, state=RecordingState.ACTIVE).first()
    if recording is not None:
        _grow(recording, now)


def growing_ids() -> list[UUID]:
    """Return the recordings that `grow` has to look after."""
    return list(
        Recording.objects.filter(state=RecordingState.ACTIVE).order_by("id").values_list("id", flat=True)
    )


def settle_bounds(recording: Recording, now: datetime) -> Selection | None:
    """Move the bounds to the footage that is there now; return it, or None where there is none yet."""
    end = recording.until or now
    selection = footage_between(recording.stream_id, recording.wanted_start, max(end, recording.wanted_start))
    if selection is not None:
        recording.start, recording.end = bounds_of(selection)
    return selection


def _joinable(stream: Stream, cause: Cause, start: datetime, until: datetime) -> Recording | None:
    """Return the newest recording of this kind of cause that the interval overlaps or nearly touches."""
    rows = Recording.objects.filter(stream=stream, cause_kind=cause.kind, start__lte=until + JOIN_WITHIN)
    recording = (
        rows.filter(Q(until__gte=start - JOIN_WITHIN) | Q(until=None, state=RecordingState.ACTIVE))
        .order_by("state", "-start")
        .first()
    )
    if recording is None or recording.state == RecordingState.ACTIVE:
        return recording
    is_whole = recording.end - recording.start >= SPLIT_AFTER
    growing = Recording.objects.filter(stream=stream, cause_kind=cause.kind, state=RecordingState.ACTIVE)
    return None if is_whole or growing.exists() else recording


def _open(
    stream: Stream, cause: Cause, sighting: Sighting, state: RecordingState = RecordingState.ACTIVE
) -> Recording:
    wanted_start, wanted_until = sighting.wanted(stream)
    recording = Recording(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        state=state,
        number=next_number(stream.account, "recording"),
        wanted_start=wanted_start,
        start=wanted_start,
        end=wanted_start,
        until=wanted_until,
        trigger_at=sighting.at,
        best_at=sighting.at,
        cause_kind=cause.kind,
        cause_id=cause.id,
        cause_name=cause.name[:120],
        labels=[sighting.label] if sighting.label else [],
        confidence=sighting.confidence,
    )
    settle_bounds(recording, wanted_until)
    recording.save()
    announce(recording, "created")
    return recording


def _extend(recording: Recording, sighting: Sighting, wanted_start: datetime, wanted_until: datetime) -> None:
    if recording.continues_id is None:  # else what came before is in the recording that this one continues
        recording.wanted_start = min(recording.wanted_start, wanted_start)
    recording.until = max(recording.until or wanted_until, wanted_until)
    is_news = recording.state != RecordingState.ACTIVE
    recording.state = RecordingState.ACTIVE
    if sighting.label and sighting.label not in recording.labels:
        recording.labels = sorted([*recording.labels, sighting.label])
        is_news = True
    if sighting.confidence is not None and sighting.confidence > (recording.confidence or 0.0):
        recording.confidence, recording.best_at = sighting.confidence, sighting.until
        is_news = True
    recording.save()
    if is_news:
        announce(recording, "updated")


def _grow(recording: Recording, now: datetime) -> None:
    selection = settle_bounds(recording, now)
    if selection is not None and recording.end - recording.start >= SPLIT_AFTER:
        recording = _split(recording, selection)
    is_due = recording.until is not None and now >= recording.until
    is_complete = recording.until is not None and selection is not None and recording.end >= recording.until
    if is_complete or (is_due and recording.until is not None and now >= recording.until + PATIENCE):
        _close_or_remove(recording)
        return
    recording.save(update_fields=["start", "end", "updated_at"])
    _request_early_thumbnail(recording)


def _request_early_thumbnail(recording: Recording) -> None:
    moment = recording.best_at or recording.start
    if not recording.thumbnail and recording.start <= moment < recording.end:
        request_thumbnail(recording)


def _close_or_remove(recording: Recording) -> None:
    if recording.end <= recording.start:  # nothing was recorded there, whatever the reason; gaps tell it
        announce(recording, "deleted")
        recording.delete()
        return
    recording.state = RecordingState.DONE
    recording.save()
    announce(recording, "updated")
    request_thumbnail(recording)


def _split(recording: Recording, selection: Selection) -> Recording:
    """Close a long recording at a keyframe, and go on with one that continues it from that very picture."""
    cut = _first_keyframe_from(selection, recording.start + SPLIT_AFTER)
    if cut is None:
        return recording
    rest_end, until = recording.end, recording.until
    recording.end = recording.until = cut
    _close_or_remove(recording)
    following = Recording(
        account_id=recording.account_id,
        camera_id=recording.camera_id,
        stream_id=recording.stream_id,
        number=next_number(recording.account, "recording"),
        name=recording.name,
        wanted_start=cut,
        start=cut,
        end=rest_end,
        until=until,
        cause_kind=recording.cause_kind,
        cause_id=recording.cause_id,
        cause_name=recording.cause_name,
        labels=recording.labels,
        confidence=recording.confidence,
        is_held=recording.is_held,
        continues=recording,
    )
    following.save()
    announce(following, "created")
    return following


def _first_keyframe_from(selection: Selection, moment: datetime) -> datetime | None:
    for piece in selection.pieces:
        for fragment in piece.fragments:
            start = from_us(piece.source.start_us + fragment.start_us)
            if fragment.is_keyframe and start >= moment:
                return start
    return None
