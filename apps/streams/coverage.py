"""Which time of a stream is covered by what."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from apps.core.partitions import WEEK, week_of
from apps.core.times import to_us
from apps.streams.models import Gap, Segment, SegmentState, Stream
from omma_engine.ids import uuid7_floor

ID_MARGIN = timedelta(minutes=10)  # ids carry a start as first journalled; clock corrections move it a little
LONGEST_SEGMENT = timedelta(minutes=10)
INSTANT = timedelta(microseconds=1)
_UNTOLD = timedelta(seconds=3)  # what the last life recorded may not have been told yet
_FAR_AHEAD = timedelta(days=1)  # footage of another year, from when a clock was wrong


def id_floor(moment: datetime) -> UUID:
    """Return a lower bound for the ids of rows that begin at or after a time: it prunes partitions."""
    return uuid7_floor(max(0, to_us(moment - ID_MARGIN) // 1000))


def id_ceiling(moment: datetime) -> UUID:
    """Return an upper bound for the ids of rows that begin before a time."""
    return uuid7_floor(max(0, to_us(moment + ID_MARGIN) // 1000))


def partition_floor(moment: datetime) -> UUID:
    """Return a lower bound like `id_floor`, at the beginning of its partition.

    The database takes a bound inside a partition for a second condition, thinks that it leaves few rows, and
    reads that part of the key's index too. One at a partition's edge only says which partitions there are.
    """
    return uuid7_floor(max(0, to_us(week_of(moment - ID_MARGIN)) // 1000))


def partition_ceiling(moment: datetime) -> UUID:
    """Return an upper bound like `id_ceiling`, at the end of its partition; it is no row's id."""
    return uuid7_floor(max(0, to_us(week_of(moment + ID_MARGIN) + WEEK) // 1000))


def newer_footage_from(stream_id: UUID, start: datetime, end: datetime, epoch: int) -> int | None:
    """Return where footage of newer epochs begins inside `[start, end)`, or None where there is none."""
    newer = (
        Segment.objects.filter(
            stream_id=stream_id,
            start__lt=end,
            end__gt=start,
            start__gte=start - LONGEST_SEGMENT,
            id__gte=partition_floor(start - LONGEST_SEGMENT),
            id__lt=partition_ceiling(end),
        )
        .exclude(state=SegmentState.GARBAGE)
        .filter(epoch__gt=epoch)
        .order_by("start")
        .values_list("start", flat=True)
        .first()
    )
    return None if newer is None else max(to_us(newer), to_us(start))


def fragments_before(fragments: Sequence[list[int]], start_us: int, limit_us: int) -> list[list[int]]:
    """Return the fragments that begin before a time; players leave out what of the last one is later.

    >>> fragments_before([[0, 10, 5, 3, 1], [10, 10, 8, 3, 0], [20, 10, 11, 3, 0]], 100, 115)
    [[0, 10, 5, 3, 1], [10, 10, 8, 3, 0]]
    """
    kept = []
    for fragment in fragments:
        if start_us + fragment[0] >= limit_us:
            break
        kept.append(fragment)
    return kept


def longer_footage_from(stream_id: UUID, start: datetime, end: datetime, epoch: int) -> int | None:
    """Return where footage of older epochs begins inside `[start, end)` that goes on after it, or None."""
    longer = (
        Segment.objects.filter(
            stream_id=stream_id,
            start__lt=end,
            start__gte=start - LONGEST_SEGMENT,
            end__gt=end,
            epoch__lt=epoch >> 20 << 20,
            id__gte=partition_floor(start - LONGEST_SEGMENT),
            id__lt=partition_ceiling(end),
        )
        .exclude(state=SegmentState.GARBAGE)
        .order_by("start")
        .values_list("start", flat=True)
        .first()
    )
    return None if longer is None else max(to_us(longer), to_us(start))


def older_footage_below(rows: Sequence[Segment]) -> list[tuple[Segment, Segment]]:
    """Return pairs of one of these segments and a locked one of an older epoch in whose time it lies.

    One query where there is none, as nearly always.
    """
    if not rows:
        return []
    rows = sorted(rows, key=lambda row: row.start, reverse=True)  # of two, the first to begin cuts
    first, last = rows[-1].start, max(row.end for row in rows)
    near = (
        Segment.objects.filter(
            stream_id__in={row.stream_id for row in rows},
            start__gt=first - LONGEST_SEGMENT,
            start__lte=last,
            end__gt=first,
            id__gte=partition_floor(first - LONGEST_SEGMENT),
            id__lt=partition_ceiling(last),
        )
        .exclude(state=SegmentState.GARBAGE)
        .values_list("id", "stream_id", "start", "end", "epoch")
    )
    found = {
        segment_id: row
        for segment_id, stream_id, start, end, epoch in near
        for row in rows
        if stream_id == row.stream_id
        and epoch < row.epoch
        and end > row.start
        and start < max(row.end, row.start + INSTANT)
    }
    older = Segment.objects.filter(id__in=found).order_by("id").select_for_update()
    return [(found[row.id], row) for row in (older if found else [])]


def recorded_until(source_ids: Sequence[UUID], now: datetime) -> dict[UUID, int]:
    """Return, in UTC microseconds, up to when there is footage of each source.

    Where that is later than now, the clocks differ, and what is not in the database yet counts too.
    """
    until_us: dict[UUID, int] = {}
    for stream_id, source_id in Stream.objects.filter(source_id__in=source_ids).values_list(
        "id", "source_id"
    ):
        end = (
            Segment.objects.filter(stream_id=stream_id, start__lt=now + _FAR_AHEAD)
            .exclude(state=SegmentState.GARBAGE)
            .order_by("-start")
            .values_list("end", flat=True)
            .first()
        )
        if end is not None:
            end_us = to_us(end if end <= now else end + _UNTOLD)
            until_us[source_id] = max(until_us.get(source_id, 0), end_us)
    return until_us


def footage_begins(stream_id: UUID, since: datetime) -> datetime | None:
    """Return when the first segment begins that does so at or after a time."""
    rows = Segment.objects.filter(stream_id=stream_id, start__gte=since).exclude(state=SegmentState.GARBAGE)
    return rows.order_by("start").values_list("start", flat=True).first()


def covered_until(stream_id: UUID, before: datetime) -> tuple[datetime | None, int | None]:
    """Return up to where a stream is recorded or explained before a time, and the last recorded epoch."""
    last = (
        Segment.objects.filter(stream_id=stream_id, start__lt=before, id__lte=id_ceiling(before))
        .exclude(state=SegmentState.GARBAGE)
        .order_by("-start")
        .values_list("end", "epoch")
        .first()
    )
    explained = Gap.objects.filter(Q(end__isnull=False), stream_id=stream_id, start__lt=before).aggregate(
        end=Max("end")
    )["end"]
    ends = [end for end in (last[0] if last else None, explained) if end is not None]
    return max(ends, default=None), last[1] if last else None
