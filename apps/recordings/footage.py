"""Stored footage as the engine reads it: segment rows turned into slices."""

import hashlib
import os
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.core.times import from_us, to_us
from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor
from apps.streams.models import Segment, SegmentState, Volume, VolumeState
from apps.streams.stores.choosing import store_of
from omma_engine.errors import FootageMissingError
from omma_engine.playback.slices import SegmentSlice, Selection, select_footage
from omma_engine.types import Fragment

_CHUNK_BYTES = 1 << 20
_READABLE_VOLUMES = [VolumeState.READY, VolumeState.FULL, VolumeState.FAILING, VolumeState.READ_ONLY]


def segments_between(stream_id: UUID, start: datetime, end: datetime) -> QuerySet[Segment]:
    """Return the segments of a stream that hold something of `[start, end)`, oldest first, no garbage."""
    earliest = start - LONGEST_SEGMENT  # the end has no index
    rows = Segment.objects.filter(stream_id=stream_id, start__lt=end, end__gt=start, start__gte=earliest)
    rows = rows.filter(id__gte=partition_floor(earliest), id__lt=partition_ceiling(end))
    return rows.exclude(state=SegmentState.GARBAGE).order_by("start", "id")


def slices_between(
    stream_id: UUID, start: datetime, end: datetime, *, with_absent: bool = False
) -> list[SegmentSlice]:
    """Return what can be read of a stream in `[start, end)`, or also what is on volumes that are away."""
    rows = segments_between(stream_id, start, end).select_related("volume")
    return slices_of(rows if with_absent else rows.filter(volume__state__in=_READABLE_VOLUMES))


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
            opener=partial(open_footage, row.id, row.volume, row.path),
        )
        for row in segments
    ]


def open_footage(segment_id: UUID, volume: Volume, path: str) -> int:
    """Open a segment's file and return its descriptor; one that has moved since is opened where it is now.

    Raises `FootageMissingError`.
    """
    try:
        return store_of(volume).open(path)
    except FootageMissingError:
        rows = Segment.objects.exclude(state=SegmentState.GARBAGE).select_related("volume")
        row = rows.filter(pk=segment_id).defer("fragments").first()
        if not connection.in_atomic_block:
            connection.close()
        if row is None or (row.volume_id, row.path) == (volume.pk, path):
            raise
        return store_of(row.volume).open(row.path)


def sha256_of_footage(segment: Segment) -> str:
    """Return the hash of a segment's durable bytes as they are now; raises `FootageMissingError`."""
    descriptor = open_footage(segment.id, segment.volume, segment.path)
    digest, at = hashlib.sha256(), 0
    try:
        while chunk := os.pread(descriptor, min(_CHUNK_BYTES, segment.durable_bytes - at), at):
            digest.update(chunk)
            at += len(chunk)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def footage_between(
    stream_id: UUID, start: datetime, end: datetime, *, with_absent: bool = False
) -> Selection | None:
    """Return the footage of `[start, end)`, exact to the fragment, or None where there is none."""
    slices = slices_between(stream_id, start, end, with_absent=with_absent)
    try:
        return select_footage(slices, start_us=to_us(start), end_us=to_us(end))
    except FootageMissingError:
        return None


def bounds_of(selection: Selection) -> tuple[datetime, datetime]:
    """Return start and end of a selection."""
    return from_us(selection.start_us), from_us(selection.end_us)
