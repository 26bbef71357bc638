"""Rows whose bytes are not there (any more): confirmed against the disk, forgotten or cut, and explained.

No file is touched. Recordings keep their bounds: the gap says why a part of one does not play, and a file
that comes back is indexed again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.core.lease_statements import FENCE
from apps.core.times import from_us, to_us
from apps.streams.coverage import LONGEST_SEGMENT, id_ceiling, id_floor
from apps.streams.models import Gap, Segment, SegmentState, Volume
from apps.streams.storage.report import Kind
from omma_engine.ids import segment_id
from omma_engine.record.comparison import Difference, Finding
from omma_engine.spans import without
from omma_engine.types import GapCause

RECORDER_HAS_IT = timedelta(minutes=10)  # an open segment this young is its recorder's to settle
_JOIN_GAPS_WITHIN = timedelta(milliseconds=250)
_MAX_GAP = timedelta(hours=1)
_TOLERANCE_US = 200_000
_LOST = -4  # in place of a segment's sequence, in the derived id of a gap
_GONE = "the file is gone"
_CUT_SHORT = "the file lost its end"


@dataclass(frozen=True, slots=True)
class Loss:
    """A row that differs from its file, as both are now."""

    segment_id: UUID
    kind: Kind
    path: str
    size_bytes: int
    is_recorders: bool


def confirmed(volume: Volume, findings: Iterable[Finding], now: datetime) -> list[Loss]:
    """Look again: retention or a recorder may have settled what the first look found."""
    wanted = {one.row.segment_id: one for one in findings if one.row is not None}
    rows = Segment.objects.filter(id__in=wanted, volume=volume).exclude(state=SegmentState.GARBAGE)
    losses = []
    for row in rows.defer("fragments").order_by("path"):
        kind = _kind_now(volume, row, wanted[row.id])
        if kind is not None:
            is_recorders = row.state == SegmentState.OPEN and row.end > now - RECORDER_HAS_IT
            losses.append(Loss(row.id, kind, row.path, wanted[row.id].size_bytes, is_recorders))
    return losses


def settle(volume: Volume, loss: Loss) -> bool:
    """Bring the row in line with its file; tell whether that was done."""
    if loss.is_recorders:
        return False
    if loss.kind is Kind.CHANGED:
        return bool(Segment.objects.filter(id=loss.segment_id, is_damaged=False).update(is_damaged=True))
    return _cut_or_forget(volume, loss.segment_id)


def size_on_disk(volume: Volume, path: str) -> int | None:
    """Return how long a segment's file is, None where there is none."""
    file = Path(volume.root) / path
    try:
        return file.lstat().st_size if file.is_file() and not file.is_symlink() else None
    except OSError:
        return None


def _kind_now(volume: Volume, row: Segment, finding: Finding) -> Kind | None:
    size = size_on_disk(volume, row.path)
    if size is None:
        return Kind.MISSING
    if size < row.durable_bytes:
        return Kind.SHORTER
    was = finding.row
    is_same = was is not None and (row.sha256, row.durable_bytes) == (was.sha256, was.durable_bytes)
    return Kind.CHANGED if finding.difference is Difference.CHANGED and is_same else None


@transaction.atomic
def _cut_or_forget(volume: Volume, wanted: UUID) -> bool:
    rows = Segment.objects.filter(id=wanted, volume=volume).exclude(state=SegmentState.GARBAGE)
    row = rows.select_for_update(of=("self",)).select_related("stream").first()
    if row is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(FENCE, {"ids": [row.stream.source_id]})  # the source is claimed by nobody new
    size = size_on_disk(volume, row.path)
    kept = [one for one in row.fragments if one[2] + one[3] <= (size or 0)]
    if size is not None and size >= row.durable_bytes:
        return False
    was_end = row.end
    if kept:
        _cut(row, kept)
        _explain(row, row.end, was_end, _CUT_SHORT)
    else:
        Segment.objects.filter(id=row.id).delete()
        _explain(row, row.start, was_end, _GONE if size is None else _CUT_SHORT)
    return True


def _cut(row: Segment, kept: list[list[int]]) -> None:
    last = kept[-1]
    row.fragments = kept
    row.durable_bytes = last[2] + last[3]
    row.end = min(row.end, from_us(to_us(row.start) + last[0] + last[1]))
    row.sha256 = ""  # the hash was of more than is left
    row.is_damaged = True
    if row.state == SegmentState.OPEN:
        row.state = SegmentState.RECOVERED
    row.save(update_fields=["fragments", "durable_bytes", "end", "sha256", "is_damaged", "state"])


def _explain(row: Segment, start: datetime, end: datetime, detail: str) -> None:
    """Write gaps of cause disk over what of `[start, end)` nothing else covers or explains."""
    covered = [*_footage(row, start, end), *_explained(row, start, end)]
    for start_us, end_us in without((to_us(start), to_us(end)), covered, tolerance=_TOLERANCE_US):
        _write_gap(row, from_us(start_us), from_us(end_us), detail)


def _footage(row: Segment, start: datetime, end: datetime) -> list[tuple[int, int]]:
    others = Segment.objects.filter(
        stream_id=row.stream_id,
        start__lt=end,
        end__gt=start,
        id__gte=id_floor(start - LONGEST_SEGMENT),
        id__lte=id_ceiling(end),
    )
    others = others.exclude(state=SegmentState.GARBAGE).exclude(id=row.id)
    return [(to_us(one), to_us(other)) for one, other in others.values_list("start", "end")]


def _explained(row: Segment, start: datetime, end: datetime) -> list[tuple[int, int]]:
    gaps = Gap.objects.filter(Q(end__gt=start) | Q(end__isnull=True), stream_id=row.stream_id, start__lt=end)
    return [(to_us(one), to_us(other or end)) for one, other in gaps.values_list("start", "end")]


def _write_gap(row: Segment, start: datetime, end: datetime, detail: str) -> None:
    before = Gap.objects.filter(
        stream_id=row.stream_id,
        cause=GapCause.DISK,
        detail=detail,
        end__gte=start - _JOIN_GAPS_WITHIN,
        end__lte=start + _JOIN_GAPS_WITHIN,
        start__gte=end - _MAX_GAP,
    ).first()
    if before is not None:
        Gap.objects.filter(id=before.id).update(end=end)
        return
    gap = Gap(
        id=segment_id(stream_id=row.stream_id, epoch=row.epoch, sequence=_LOST, start_us=to_us(start)),
        account_id=row.account_id,
        camera_id=row.camera_id,
        stream_id=row.stream_id,
        start=start,
        end=end,
        cause=GapCause.DISK.value,
        detail=detail,
    )
    Gap.objects.bulk_create([gap], ignore_conflicts=True)
