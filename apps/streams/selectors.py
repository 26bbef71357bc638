"""Reads over streams: where footage and gaps are, and how much is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import F, Q, Sum

from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor
from apps.streams.models import Gap, Segment, SegmentState, Stream

JOIN_TOLERANCE_S = 0.25  # neighbouring segments that miss each other by less are shown as one span


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a stream's timeline, `[start, end)`: recorded, or a gap with its cause."""

    start: datetime
    end: datetime
    kind: Literal["recorded", "gap"]
    cause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """What is stored of a stream."""

    segments: int
    stored_bytes: int
    oldest: datetime | None
    newest: datetime | None


def timeline_of_stream(stream_id: UUID, start: datetime, end: datetime) -> list[Span]:
    """Return what is recorded and what is explained in `[start, end)`, in order of time, cut to the range."""
    spans = [*_recorded(stream_id, start, end), *_gaps(stream_id, start, end)]
    return sorted(spans, key=lambda span: (span.start, span.end))


def statistics_of_stream(stream: Stream) -> StreamStatistics:
    """Return how much is stored of a stream, and from when to when."""
    rows = Segment.objects.filter(stream=stream).exclude(state=SegmentState.GARBAGE)
    return StreamStatistics(
        segments=rows.count(),
        stored_bytes=rows.aggregate(total=Sum("durable_bytes"))["total"] or 0,
        oldest=rows.order_by("start").values_list("start", flat=True).first(),
        newest=rows.order_by("-start").values_list("end", flat=True).first(),
    )


def last_frame_at(source_id: UUID) -> datetime | None:
    """Return how far the source's newest stored footage reaches; None where it has none."""
    rows = Segment.objects.filter(stream__in=Stream.objects.filter(source_id=source_id).values("pk"))
    return rows.order_by("-start").values_list("end", flat=True).first()


def stored_bytes_of_camera(camera_id: UUID) -> int:
    """Return how many bytes of footage of a camera are on disk."""
    rows = Segment.objects.filter(camera_id=camera_id, stream__camera_id=camera_id)
    return rows.aggregate(total=Sum("durable_bytes"))["total"] or 0


def used_bytes_by_volume() -> dict[UUID, int]:
    """Return how many bytes of footage each volume holds."""
    totals = Segment.objects.order_by().values_list("volume_id").annotate(total=Sum("durable_bytes"))
    return dict(totals)


def _recorded(stream_id: UUID, start: datetime, end: datetime) -> list[Span]:
    rows = (
        Segment.objects.filter(
            stream_id=stream_id,
            start__lt=end,
            end__gt=start,
            start__gte=start - LONGEST_SEGMENT,
            id__gte=partition_floor(start - LONGEST_SEGMENT),
            id__lt=partition_ceiling(end),
        )
        .exclude(state=SegmentState.GARBAGE)
        .filter(end__gt=F("start"))
        .order_by("start")
        .values_list("start", "end")
    )
    runs: list[tuple[datetime, datetime]] = []
    for row_start, row_end in rows:
        if runs and (row_start - runs[-1][1]).total_seconds() <= JOIN_TOLERANCE_S:
            runs[-1] = (runs[-1][0], max(runs[-1][1], row_end))
        else:
            runs.append((row_start, row_end))
    return [Span(max(one, start), min(other, end), "recorded") for one, other in runs]


def _gaps(stream_id: UUID, start: datetime, end: datetime) -> list[Span]:
    rows = Gap.objects.filter(Q(end__gt=start) | Q(end__isnull=True), stream_id=stream_id, start__lt=end)
    return [
        Span(max(gap.start, start), min(gap.end or end, end), "gap", gap.cause, gap.detail)
        for gap in rows.order_by("start")
    ]
