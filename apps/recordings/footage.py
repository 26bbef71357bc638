"""Stored footage as the engine reads it: segment rows turned into slices."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db.models import QuerySet

from apps.core.times import from_us, to_us
from apps.streams.models import Segment, SegmentState, VolumeState
from omma_engine.errors import FootageMissingError
from omma_engine.ids import uuid7_floor
from omma_engine.playback.slices import SegmentSlice, Selection, select_footage
from omma_engine.types import Fragment

# Ids carry the start as first journalled; a segment lasts 10 minutes at most, and corrections move it.
ID_MARGIN = timedelta(minutes=20)
_READABLE_VOLUMES = [VolumeState.READY, VolumeState.FULL, VolumeState.READ_ONLY]


def segments_between(stream_id: UUID, start: datetime, end: datetime) -> QuerySet[Segment]:
    """Return the segments of a stream that hold something of `[start, end)`, oldest first, no garbage."""
    first, last = ((to_us(one) // 1000) for one in (start - ID_MARGIN, end + ID_MARGIN))
    rows = Segment.objects.filter(stream_id=stream_id, start__lt=end, end__gt=start)
    rows = rows.filter(id__gte=uuid7_floor(max(0, first)), id__lte=uuid7_floor(last))
    return rows.exclude(state=SegmentState.GARBAGE).order_by("start", "id")


def slices_between(stream_id: UUID, start: datetime, end: datetime) -> list[SegmentSlice]:
    """Return what can be read of a stream in `[start, end)`; volumes that are away give nothing."""
    rows = segments_between(stream_id, start, end).filter(volume__state__in=_READABLE_VOLUMES)
    return slices_of(rows.select_related("volume"))


def slices_of(segments: Iterable[Segment]) -> list[SegmentSlice]:
    """Return segment rows, fetched with their volumes, as the engine takes them."""
    return [
        SegmentSlice(
            segment_id=row.id,
            root=Path(row.volume.root),
            path=row.path,
            start_us=to_us(row.start),
            init_size=row.init_size,
            durable_bytes=row.durable_bytes,
            codec=row.codec,
            width=row.width,
            height=row.height,
            fragments=tuple(
                Fragment(start_us, duration_us, offset, size, bool(is_keyframe))
                for start_us, duration_us, offset, size, is_keyframe in row.fragments
            ),
        )
        for row in segments
    ]


def footage_between(stream_id: UUID, start: datetime, end: datetime) -> Selection | None:
    """Return the readable footage of `[start, end)`, exact to the fragment, or None where there is none."""
    try:
        return select_footage(slices_between(stream_id, start, end), start_us=to_us(start), end_us=to_us(end))
    except FootageMissingError:
        return None


def bounds_of(selection: Selection) -> tuple[datetime, datetime]:
    """Return start and end of a selection."""
    return from_us(selection.start_us), from_us(selection.end_us)
