"""Files without a row: what they are by their own label, and the index made again from them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.core.times import from_us
from apps.streams.coverage import newer_footage_from
from apps.streams.models import Segment, SegmentState, Stream, Volume
from apps.streams.sinks import BLOCK_BITS, CaptureSink
from apps.streams.storage.losses import size_on_disk
from apps.streams.storage.report import Kind
from apps.streams.volumes import is_folder, read_identity
from omma_engine.errors import StorageError
from omma_engine.ports import NewsItem
from omma_engine.record.disk import FileFact, move_to_quarantine
from omma_engine.record.recover import RecoveredSegment, inspect_segment
from omma_engine.record.retelling import news_of_file

_FROM_DISK = 0  # in place of a place in the journal: these news were read from the file


@dataclass(frozen=True, slots=True)
class Stray:
    """A file that no row names, and what it turned out to be."""

    file: FileFact
    kind: Kind
    found: RecoveredSegment | None = None
    source_id: UUID | None = None

    @property
    def segment_id(self) -> UUID | None:
        return None if self.found is None else UUID(self.found.index.label.segment_id)


def classified(volume: Volume, files: Iterable[FileFact]) -> list[Stray]:
    """Say what each of these files is; those whose row has come meanwhile are left out."""
    read = [(file, _inspected(volume, file)) for file in files]
    ids = [_id_of(found) for _, found in read if found is not None]
    rows = {
        row.id: row for row in Segment.objects.filter(id__in=ids).select_related("volume").defer("fragments")
    }
    streams = Stream.objects.in_bulk(
        [UUID(found.index.label.stream_id) for _, found in read if found is not None]
    )
    strays = []
    for file, found in read:
        if found is None:
            strays.append(Stray(file, Kind.UNREADABLE))
            continue
        row, stream = rows.get(_id_of(found)), streams.get(UUID(found.index.label.stream_id))
        if row is None or (row.volume_id, row.path) != (volume.id, file.path):
            strays.append(_stray(file, found, row, stream))
    return strays


def index_again(volume: Volume, strays: Sequence[Stray]) -> set[str]:
    """Make or correct the rows of orphans and moved files; return the paths for which that was done.

    Newest owners first, so that what an older one recorded meanwhile is cut to what they leave free.
    """
    done = {one.file.path for one in strays if one.kind is Kind.MOVED and _follow(volume, one)}
    by_block: dict[int, list[Stray]] = defaultdict(list)
    for one in strays:
        if one.kind is Kind.ORPHAN and one.found is not None:
            by_block[one.found.index.label.epoch >> BLOCK_BITS].append(one)
    for block in sorted(by_block, reverse=True):
        CaptureSink().fill([item for one in by_block[block] for item in _news(volume, one)])
    made = {one.segment_id: one.file.path for each in by_block.values() for one in each}
    known = Segment.objects.filter(id__in=[one for one in made if one]).values_list("id", flat=True)
    return done | {made[segment_id] for segment_id in known}


def quarantine(volume: Volume, stray: Stray) -> bool:
    """Move a file out of the segments, on its own volume; tell whether that could be done."""
    try:
        move_to_quarantine(Path(volume.root), stray.file.path)
    except StorageError:
        return False
    return True


def _inspected(volume: Volume, file: FileFact, *, with_hash: bool = False) -> RecoveredSegment | None:
    try:
        return inspect_segment(Path(volume.root) / file.path, with_hash=with_hash)
    except StorageError:
        return None


def _id_of(found: RecoveredSegment) -> UUID:
    return UUID(found.index.label.segment_id)


def _stray(file: FileFact, found: RecoveredSegment, row: Segment | None, stream: Stream | None) -> Stray:
    if stream is None:
        return Stray(file, Kind.NO_STREAM, found)
    if row is not None:
        return Stray(file, Kind.MOVED if _is_lost(row) else Kind.DUPLICATE, found, stream.source_id)
    kind = Kind.SUPERSEDED if _is_covered(found) else Kind.ORPHAN
    return Stray(file, kind, found, stream.source_id)


def _is_lost(row: Segment) -> bool:
    """Tell whether a row's own file is surely gone: its volume is there, and the file is not."""
    is_there = is_folder(row.volume) and read_identity(Path(row.volume.root)) == row.volume_id
    is_kept = row.state in {SegmentState.CLOSED, SegmentState.RECOVERED}
    return is_there and is_kept and size_on_disk(row.volume, row.path) is None


def _is_covered(found: RecoveredSegment) -> bool:
    label = found.index.label
    first_us = label.start_us + found.fragments[0].start_us
    newer_us = newer_footage_from(
        UUID(label.stream_id), from_us(label.start_us), from_us(found.end_us), label.epoch
    )
    return newer_us is not None and newer_us <= first_us


def _follow(volume: Volume, stray: Stray) -> bool:
    if stray.segment_id is None:
        return False
    rows = Segment.objects.filter(id=stray.segment_id, durable_bytes__lte=stray.file.size_bytes)
    return bool(rows.update(volume=volume, path=stray.file.path))


def _news(volume: Volume, stray: Stray) -> list[NewsItem]:
    found = _inspected(volume, stray.file, with_hash=True)
    if found is None or stray.source_id is None:
        return []
    told: list[dict[str, Any]] = news_of_file(found, path=stray.file.path, volume_id=str(volume.id))
    epoch = found.index.label.epoch
    return [NewsItem(stray.source_id, epoch, _FROM_DISK, payload) for payload in told]
