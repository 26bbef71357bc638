"""The timeline of one and many streams, in a number of queries that does not depend on how many."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.recordings.models import LONGEST_RECORDING, Recording
from apps.recordings.timeline.statements import BUCKETS, COVERAGE, GAPS
from apps.recordings.timeline.values import (
    MAX_RECORDINGS,
    CoveredSpan,
    GapSpan,
    StreamTimeline,
    Timeline,
    TimelineRange,
)
from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor


def timeline_of_streams(wanted: TimelineRange, *, now: datetime) -> Timeline:
    """Return what is recorded, explained, kept and seen in the range; the future is empty."""
    shown = {stream.pk: StreamTimeline(stream) for stream in wanted.streams}
    if wanted.start >= now:
        return Timeline(wanted, list(shown.values()), has_all_recordings=True)
    _add_coverage(shown, wanted)
    _add_gaps(shown, wanted, now)
    has_all = _add_recordings(shown, wanted)
    _add_buckets(shown, wanted)
    return Timeline(wanted, list(shown.values()), has_all_recordings=has_all)


def _add_coverage(shown: dict[UUID, StreamTimeline], wanted: TimelineRange) -> None:
    earliest = wanted.start - LONGEST_SEGMENT
    values = {
        **_common(shown, wanted),
        "earliest": earliest,
        "first_id": partition_floor(earliest),
        "last_id": partition_ceiling(wanted.end),
    }
    for stream_id, start, end, recorded, _ in _rows(COVERAGE, values):
        seconds = min(recorded, end - start).total_seconds()  # segments may overlap a little
        shown[stream_id].covered.append(CoveredSpan(start, end, seconds))


def _add_gaps(shown: dict[UUID, StreamTimeline], wanted: TimelineRange, now: datetime) -> None:
    for stream_id, cause, start, end, missing, count in _rows(GAPS, {**_common(shown, wanted), "now": now}):
        shown[stream_id].gaps.append(GapSpan(start, end, cause, missing.total_seconds(), count))
    for one in shown.values():
        one.gaps.sort(key=lambda gap: (gap.start, gap.end))


def _add_recordings(shown: dict[UUID, StreamTimeline], wanted: TimelineRange) -> bool:
    """Add the newest recordings of all streams together; tell whether those are all."""
    rows = Recording.objects.filter(
        stream_id__in=list(shown),
        start__lt=wanted.end,
        end__gt=wanted.start,
        start__gt=wanted.start - LONGEST_RECORDING,  # the end has no index
    )
    newest = list(rows.order_by("-start", "-id")[: MAX_RECORDINGS + 1])
    for row in reversed(newest[:MAX_RECORDINGS]):
        shown[row.stream_id].recordings.append(row)
    return len(newest) <= MAX_RECORDINGS


def _add_buckets(shown: dict[UUID, StreamTimeline], wanted: TimelineRange) -> None:
    values = {
        **_common(shown, wanted),
        "bucket_s": wanted.bucket_s,
        "first_minute": wanted.start.replace(second=0, microsecond=0),
    }
    for stream_id, buckets in _rows(BUCKETS, values):
        shown[stream_id].buckets = buckets


def _common(shown: dict[UUID, StreamTimeline], wanted: TimelineRange) -> dict[str, Any]:
    return {
        "streams": list(shown),
        "start": wanted.start,
        "end": wanted.end,
        "joined": timedelta(seconds=wanted.joined_s),
    }


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
