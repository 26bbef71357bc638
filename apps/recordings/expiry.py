"""Footage leaves the index: rows become garbage, gaps explain them, and recordings shrink to what is left."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.core.times import to_us
from apps.recordings.footage import bounds_of, footage_between
from apps.recordings.growing import lock_stream
from apps.recordings.models import Recording, RecordingState
from apps.recordings.news import announce
from apps.recordings.thumbnails import remove_thumbnail
from apps.streams.models import Gap, Segment, SegmentState
from omma_engine.ids import uuid7
from omma_engine.types import GapCause

_JOIN_GAPS_WITHIN = timedelta(milliseconds=250)
_MAX_GAP = timedelta(hours=1)


@transaction.atomic
def expire(stream_id: UUID, segment_ids: Iterable[UUID], *, now: datetime) -> int:
    """Mark segments of one stream garbage, unless they are wanted for good meanwhile; return how many.

    Checked again under the stream's lock, which holding and recording take too.
    """
    lock_stream(stream_id)
    rows = Segment.objects.filter(id__in=list(segment_ids), stream_id=stream_id)
    rows = rows.filter(state__in=[SegmentState.CLOSED, SegmentState.RECOVERED])
    found = list(rows.order_by("start").defer("fragments"))
    if not found:
        return 0
    last = max(row.end for row in found)
    protected = _protected_intervals(stream_id, found[0].start, last, now)
    doomed = [row for row in found if not _touches(row, protected)]
    if not doomed:
        return 0
    Segment.objects.filter(id__in=[row.id for row in doomed]).update(state=SegmentState.GARBAGE)
    for run in _runs(doomed):
        _explain(run[0], run[-1].end)
    _shrink_recordings(stream_id, doomed)
    return len(doomed)


def _protected_intervals(
    stream_id: UUID, start: datetime, end: datetime, now: datetime
) -> list[tuple[datetime, datetime]]:
    rows = Recording.objects.filter(stream_id=stream_id).filter(
        Q(is_held=True, start__lt=end, end__gt=start) | Q(state=RecordingState.ACTIVE)
    )
    return [
        (min(row.start, row.wanted_start), max(row.end, now, row.until or now))
        if row.state == RecordingState.ACTIVE
        else (row.start, row.end)
        for row in rows
    ]


def _touches(row: Segment, intervals: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(start < row.end and row.start < end for start, end in intervals)


def _runs(rows: Iterable[Segment]) -> list[list[Segment]]:
    """Put together what follows on each other, up to the length of one gap."""
    runs: list[list[Segment]] = []
    for row in rows:
        is_next = bool(runs) and abs(row.start - runs[-1][-1].end) <= _JOIN_GAPS_WITHIN
        if is_next and row.end - runs[-1][0].start <= _MAX_GAP:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _explain(row: Segment, end: datetime) -> None:
    """Write the gap of deleted footage, or lengthen the one it follows on."""
    before = Gap.objects.filter(
        stream_id=row.stream_id,
        cause=GapCause.EXPIRED,
        end__gte=row.start - _JOIN_GAPS_WITHIN,
        end__lte=row.start + _JOIN_GAPS_WITHIN,
        start__gte=end - _MAX_GAP,
    ).first()
    if before is not None:
        Gap.objects.filter(pk=before.pk).update(end=end)
        return
    Gap.objects.create(
        id=uuid7(to_us(row.start) // 1000),
        account_id=row.account_id,
        camera_id=row.camera_id,
        stream_id=row.stream_id,
        start=row.start,
        end=end,
        cause=GapCause.EXPIRED,
    )


def _shrink_recordings(stream_id: UUID, doomed: list[Segment]) -> None:
    first, last = min(row.start for row in doomed), max(row.end for row in doomed)
    rows = Recording.objects.filter(
        stream_id=stream_id, state=RecordingState.DONE, start__lt=last, end__gt=first
    )
    for recording in rows.order_by("id"):
        if _touches_any(recording, doomed):
            _shrink(recording)


def _touches_any(recording: Recording, doomed: list[Segment]) -> bool:
    return any(recording.start < row.end and row.start < recording.end for row in doomed)


def _shrink(recording: Recording) -> None:
    left = footage_between(recording.stream_id, recording.start, recording.end, with_absent=True)
    if left is None:
        announce(recording, "deleted")
        transaction.on_commit(lambda: remove_thumbnail(recording))
        Recording.objects.filter(pk=recording.pk).delete()
        return
    start, end = bounds_of(left)
    recording.start, recording.end = max(start, recording.start), min(end, recording.end)
    recording.save(update_fields=["start", "end", "updated_at"])
    announce(recording, "updated")
