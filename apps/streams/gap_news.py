"""Gap rows, so that recorded and explained time together are all time.

Whenever recording or an explained hole begins, everything since the last covered moment that nobody explained
becomes a gap too; open gaps end where recording begins; and footage that turns up late takes its time back
from the gaps that stood in for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.core.times import from_us, to_us
from apps.streams.coverage import covered_until, footage_begins, partition_floor
from apps.streams.models import Gap, Segment, SegmentState, Stream
from apps.streams.segment_news import SegmentKeeper
from omma_engine.ids import segment_id
from omma_engine.types import GapCause

TOLERANCE = timedelta(milliseconds=200)  # two segments this near are one run
_BRIDGE = -1  # in place of a segment's sequence, in the derived id of a gap that bridges
_REST = -2  # what is left of a gap behind footage that turned up late


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Something begins at a time: recording, or an explained hole."""

    stream_id: UUID
    start: datetime
    epoch: int
    gap: Mapping[str, Any] | None = None


class GapKeeper:
    """The gaps of one batch of news. Written after the batch's segments, in the order they were told."""

    def __init__(self, streams: Mapping[UUID, Stream], *, is_fill: bool) -> None:
        self._streams = streams
        self._is_fill = is_fill
        self._beginnings: list[_Beginning] = []

    def recording_begins(self, stream_id: UUID, start_us: int, epoch: int) -> None:
        """Note that a segment begins."""
        if stream_id in self._streams:
            self._beginnings.append(_Beginning(stream_id, from_us(start_us), epoch))

    def told(self, news: Mapping[str, Any], epoch: int) -> None:
        """Note a gap that a child tells of."""
        stream_id = UUID(news["stream_id"])
        if stream_id in self._streams:
            self._beginnings.append(_Beginning(stream_id, from_us(news["start_us"]), epoch, gap=news))

    def save(self, segments: SegmentKeeper) -> None:
        """Write the gaps; call it after the segments are saved."""
        if not self._is_fill:
            _end_where_recorded(segments.grown())
        for beginning in self._beginnings:
            if self._is_fill:
                if beginning.gap is not None:
                    self._rename(beginning, beginning.gap)
            elif beginning.gap is None:
                self._begin_recording(beginning)
            else:
                self._begin_gap(beginning, beginning.gap)
        for stream_id, start_us, end_us in segments.late_ranges():
            take_back(stream_id, from_us(start_us), from_us(end_us))

    def _begin_recording(self, beginning: _Beginning) -> None:
        self._end_open_gaps(beginning)
        self._bridge(beginning)

    def _begin_gap(self, beginning: _Beginning, news: Mapping[str, Any]) -> None:
        gap_id = UUID(news["gap_id"])
        end = None if news["end_us"] is None else from_us(news["end_us"])
        known = Gap.objects.filter(id=gap_id).first()
        if known is not None:
            if end is not None and known.end is None:
                Gap.objects.filter(id=gap_id).update(end=max(end, known.start))
            return
        self._end_open_gaps(beginning)
        self._bridge(beginning)
        covered, _ = covered_until(beginning.stream_id, beginning.start + TOLERANCE)
        start = max(beginning.start, covered) if covered else beginning.start
        if end is None:  # said late: by a life that others have followed
            end = footage_begins(beginning.stream_id, start)
        if end is not None and end <= start:
            return
        self._insert(beginning, gap_id, start, end, news["cause"], news["detail"])

    def _end_open_gaps(self, beginning: _Beginning) -> None:
        open_gaps = Gap.objects.filter(stream_id=beginning.stream_id, end__isnull=True)
        open_gaps.filter(start__lt=beginning.start).update(end=beginning.start)
        open_gaps.filter(end__isnull=True, start__gte=beginning.start).delete()

    def _bridge(self, beginning: _Beginning) -> None:
        """Explain the time since the last covered moment: a worker's restart, if nobody said otherwise."""
        stream = self._streams[beginning.stream_id]
        covered, last_epoch = covered_until(stream.id, beginning.start)
        since = covered or stream.created_at
        if beginning.start - since <= TOLERANCE:
            return
        cause, detail = GapCause.WORKER, "the recording process was restarted"
        if covered is None:
            cause, detail = GapCause.PLANNED, "before the first picture"
        elif last_epoch == beginning.epoch:
            cause, detail = GapCause.CAMERA, "no picture came"
        gap_id = segment_id(
            stream_id=stream.id, epoch=beginning.epoch, sequence=_BRIDGE, start_us=to_us(since)
        )
        self._insert(beginning, gap_id, since, beginning.start, cause.value, detail)

    def _rename(self, beginning: _Beginning, news: Mapping[str, Any]) -> None:
        """Give time that an old life explained its own cause, where so far a restart stood for it."""
        if news["end_us"] is None:
            return
        start, end = beginning.start, from_us(news["end_us"])
        same = Gap.objects.filter(
            stream_id=beginning.stream_id, cause=GapCause.WORKER, start__gte=start, end__lte=end
        )
        same.update(cause=news["cause"], detail=news["detail"][:300])

    def _insert(
        self,
        beginning: _Beginning,
        gap_id: UUID,
        start: datetime,
        end: datetime | None,
        cause: str,
        detail: str,
    ) -> None:
        stream = self._streams[beginning.stream_id]
        gap = Gap(
            id=gap_id,
            account_id=stream.account_id,
            camera_id=stream.camera_id,
            stream_id=stream.id,
            start=start,
            end=end,
            cause=cause,
            detail=detail[:300],
        )
        Gap.objects.bulk_create([gap], ignore_conflicts=True)


def _end_where_recorded(grown: Sequence[Segment]) -> None:
    """Take the time of footage out of open gaps: nobody was heard of for a while, and it was written."""
    if not grown:
        return
    streams, first = {row.stream_id for row in grown}, min(row.start for row in grown)
    gaps = Gap.objects.filter(stream_id__in=streams, end__isnull=True, id__gte=partition_floor(first))
    for gap in gaps.order_by("id"):  # one that began before them ended where they begin
        rows = [row for row in grown if row.stream_id == gap.stream_id and row.end > gap.start]
        if not rows:
            continue
        begins = min(row.start for row in rows)
        if begins > gap.start:
            Gap.objects.filter(id=gap.id).update(end=begins)
        elif any(row.state == SegmentState.OPEN for row in rows):
            gap.delete()
        else:
            _begin_later(gap, max(row.end for row in rows))


def take_back(stream_id: UUID, start: datetime, end: datetime) -> None:
    """Take `[start, end)` out of the stream's gaps: footage of it has turned up."""
    touched = Gap.objects.filter(Q(end__gt=start) | Q(end__isnull=True), stream_id=stream_id, start__lt=end)
    for gap in touched.order_by("id").select_for_update():
        is_rest = gap.end is None or gap.end - end > TOLERANCE
        if gap.start >= start - TOLERANCE:
            _begin_later(gap, end) if is_rest else gap.delete()
            continue
        if is_rest:
            Gap.objects.bulk_create([_rest_of(gap, end)], ignore_conflicts=True)
        Gap.objects.filter(id=gap.id).update(end=start)


def _begin_later(gap: Gap, start: datetime) -> None:
    Gap.objects.filter(id=gap.id).update(start=start)


def _rest_of(gap: Gap, start: datetime) -> Gap:
    rest_id = segment_id(stream_id=gap.stream_id, epoch=0, sequence=_REST, start_us=to_us(start))
    return Gap(
        id=rest_id,
        account_id=gap.account_id,
        camera_id=gap.camera_id,
        stream_id=gap.stream_id,
        start=start,
        end=gap.end,
        cause=gap.cause,
        detail=gap.detail,
    )
