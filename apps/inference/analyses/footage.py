"""Which files hold a range of a stream, as the analysing process reads them."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from apps.core.times import to_us
from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor
from apps.streams.models import Segment, SegmentState, VolumeKind, VolumeState
from omma_engine.inference.offline.spec import FootageFile

_READABLE = [VolumeState.READY, VolumeState.FULL, VolumeState.READ_ONLY]


def footage_files(stream_id: UUID, start: datetime, end: datetime) -> Iterator[FootageFile]:
    """Yield the files of `[start, end)` in order, without overlap; what is in a bucket is left out."""
    earliest = start - LONGEST_SEGMENT
    rows = (
        Segment.objects.filter(stream_id=stream_id, start__lt=end, end__gt=start, start__gte=earliest)
        .filter(id__gte=partition_floor(earliest), id__lt=partition_ceiling(end), durable_bytes__gt=0)
        .filter(volume__kind=VolumeKind.FOLDER, volume__state__in=_READABLE)
        .exclude(state=SegmentState.GARBAGE)
        .order_by("start", "id")
        .values_list("volume__root", "path", "start", "end", "init_size", "durable_bytes")
    )
    held: FootageFile | None = None
    for root, path, began, ended, init_size, durable_bytes in rows.iterator(chunk_size=2000):
        file = FootageFile(root, path, to_us(began), to_us(ended), init_size, durable_bytes)
        if held is not None and file.end_us <= held.end_us:
            continue
        if held is not None:
            yield _before(held, file)
        held = file
    if held is not None:
        yield held


def has_footage(stream_id: UUID, start: datetime, end: datetime) -> bool:
    """Tell whether anything of a range can be read."""
    return next(footage_files(stream_id, start, end), None) is not None


def _before(file: FootageFile, following: FootageFile) -> FootageFile:
    """Return the file without what the next one shows as well."""
    limit_us = following.start_us if following.start_us < file.end_us else None
    end_us = file.end_us if limit_us is None else limit_us
    return FootageFile(
        file.root, file.path, file.start_us, end_us, file.init_size, file.durable_bytes, limit_us
    )
