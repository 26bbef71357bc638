"""The archive tier: footage moves to another volume, and at every moment one copy of it can be read.

1. Note the transfer: from here on, a copy that nobody knows is known all the same.
2. Copy the bytes that count, whole and durable under the same path on the target.
3. Read the copy back, and compare its hash with the one taken while recording.
4. Switch the row to the target, if it still is as it was, in one transaction under the stream's lock,
   which notes in the transfer that it happened.
5. Delete the file on the source.
6. Forget the transfer.

A crash after any step is made good by the next run, which begins with the transfers it finds: before the
switch the copy is made anew (or deleted, where the footage is gone), after it the old file goes. Sums count
rows, and a segment has one row.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core import own_connections
from apps.core.advisory_locks import ARCHIVE, try_lock
from apps.core.exceptions import OmmaError
from apps.core.times import from_us, to_us
from apps.recordings import clock_guard
from apps.recordings.growing import lock_stream
from apps.recordings.keeping import StreamKeeping, read_keeping
from apps.recordings.retention_rows import first_start, oldest_of_stream
from apps.streams.models import (
    Segment,
    SegmentState,
    Transfer,
    TransferState,
    Volume,
    VolumeState,
    VolumeTier,
)
from apps.streams.stores.choosing import store_of
from apps.streams.volume_choice import archive_order
from apps.streams.volume_states import look_at, state_of

logger = logging.getLogger(__name__)

TURN_S = 45.0
_MOST_FAILURES = 20
_MOVABLE = (SegmentState.CLOSED, SegmentState.RECOVERED)

AtStep = Callable[[str], None]


def run(now: datetime | None = None, *, turn_s: float = TURN_S) -> str:
    """Move footage that is due to the archive, for so long: the periodic job."""
    with _only_run() as is_only:
        if not is_only:
            return "another run is at it"
        ends_s = time.monotonic() + turn_s
        settled = settle_transfers()
        if now is None and not clock_guard.is_believed("archive"):
            return f"{settled} settled, the clock was set forward: ages wait"
        moved = _move_due(now or timezone.now(), ends_s)
        return f"{moved} moved, {settled} settled"


def settle_transfers(at_step: AtStep | None = None) -> int:
    """Finish what a crash left half done; return how much that was."""
    return sum(
        _settle(one, at_step)
        for one in Transfer.objects.select_related("source", "target").order_by("created_at")
    )


def move(segment_id: UUID, target: Volume, *, at_step: AtStep | None = None) -> bool:
    """Move one segment; tell whether it is there now. `at_step` is called after each step, by its name."""
    row = _movable(segment_id)
    if row is None or row.volume_id == target.pk:
        return False
    transfer, is_new = Transfer.objects.get_or_create(
        segment_id=row.pk, defaults={"source": row.volume, "target": target, "path": row.path}
    )
    if not is_new:
        return False  # `settle_transfers` has it
    return _carry_out(transfer, row, at_step or _no_step)


def _settle(transfer: Transfer, at_step: AtStep | None) -> bool:
    if not (_is_there(transfer.source) and _is_there(transfer.target)):
        return False
    step = at_step or _no_step
    if transfer.state == TransferState.SWITCHED:
        _clear_source(transfer, step)
        return True
    row = _movable(transfer.segment_id)
    if row is None or row.volume_id != transfer.source_id:
        _give_up(transfer)
        return True
    return _carry_out(transfer, row, step)


def _carry_out(transfer: Transfer, row: Segment, step: AtStep) -> bool:
    step("noted")
    try:
        if not _copied(transfer, row, step):
            _give_up(transfer)
            return False
    except (OSError, OmmaError) as error:
        words = error.message if isinstance(error, OmmaError) else str(error)
        logger.warning("segment %s was not moved to %s: %s", row.path, transfer.target.name, words)
        _give_up(transfer)
        return False
    if not _switched(transfer, row):
        _give_up(transfer)
        return False
    step("switched")
    _clear_source(transfer, step)
    return True


def _copied(transfer: Transfer, row: Segment, step: AtStep) -> bool:
    """Copy and verify; tell whether the copy is what was recorded."""
    source, target = store_of(transfer.source), store_of(transfer.target)
    expected = row.sha256
    if not expected or row.is_damaged:
        expected = source.sha256_of(row.path, row.durable_bytes)
    target.take(Path(transfer.source.root) / row.path, row.path, row.durable_bytes)
    step("copied")
    found = target.sha256_of(row.path, row.durable_bytes)
    if found == expected and target.size_of(row.path) == row.durable_bytes:
        step("verified")
        return True
    if source.sha256_of(row.path, row.durable_bytes) != expected:
        logger.error("segment %s is not as it was recorded, and stays where it is", row.path)
        Segment.objects.filter(pk=row.pk).update(is_damaged=True)
    else:
        logger.error("the copy of segment %s on %s is not what was written", row.path, transfer.target.name)
    return False


@transaction.atomic
def _switched(transfer: Transfer, row: Segment) -> bool:
    """Let the row name the copy, unless retention or anything else had it meanwhile."""
    lock_stream(row.stream_id)
    rows = Segment.objects.filter(
        pk=row.pk,
        volume=transfer.source,
        path=row.path,
        durable_bytes=row.durable_bytes,
        state__in=_MOVABLE,
    )
    if not rows.update(volume=transfer.target):
        return False
    Transfer.objects.filter(pk=transfer.pk).update(state=TransferState.SWITCHED)
    return True


def _clear_source(transfer: Transfer, step: AtStep) -> None:
    """Delete the file that is left over, unless a row names it."""
    if not Segment.objects.filter(volume=transfer.source, path=transfer.path, pk=transfer.pk).exists():
        try:
            store_of(transfer.source).delete(transfer.path)
        except (OSError, OmmaError) as error:
            logger.warning("cannot delete %s from %s: %s", transfer.path, transfer.source.name, error)
            return  # the transfer stays, and with it the knowledge of the file
    step("deleted")
    transfer.delete()


def _give_up(transfer: Transfer) -> None:
    """Delete a copy that no row names, and forget the transfer."""
    if not Segment.objects.filter(volume=transfer.target, path=transfer.path, pk=transfer.pk).exists():
        try:
            store_of(transfer.target).delete(transfer.path)
        except (OSError, OmmaError) as error:
            logger.warning("cannot delete %s from %s: %s", transfer.path, transfer.target.name, error)
            return
    transfer.delete()


def _move_due(now: datetime, ends_s: float) -> int:
    volumes = list(Volume.objects.order_by("id"))
    sources = [
        one.pk
        for one in volumes
        if one.tier == VolumeTier.RECORDING and state_of(one) in {VolumeState.READY, VolumeState.FULL}
    ]
    targets = [one for one in volumes if one.tier == VolumeTier.ARCHIVE]
    for one in targets:
        found = look_at(one)
        one.state, one.free_bytes, one.total_bytes = found.state, found.free_bytes, found.total_bytes
    moved = failures = 0
    for keeping in read_keeping().streams:
        for row_id, size in _due(keeping, sources, now):
            order = archive_order(targets, size)
            if not order or time.monotonic() > ends_s or failures > _MOST_FAILURES:
                return moved
            if move(row_id, order[0]):
                moved += 1
                order[0].used_bytes += size
                if order[0].free_bytes is not None:
                    order[0].free_bytes -= size
            else:
                failures += 1
    return moved


def _due(keeping: StreamKeeping, sources: list[UUID], now: datetime) -> Iterator[tuple[UUID, int]]:
    """Yield the ids and sizes of what is to move, the oldest first."""
    if keeping.archive_after is None:
        return
    before = now - keeping.archive_after
    first = first_start(keeping.stream_id, sources, (from_us(0), before))
    if first is None:
        return
    for one in oldest_of_stream(keeping.stream_id, sources, after=first - timedelta(microseconds=1)):
        if one.end_us >= to_us(before):
            return
        if not one.is_transient or one.end_us < to_us(now) - keeping.transient_us:
            yield one.segment_id, one.size_bytes


def _movable(segment_id: UUID) -> Segment | None:
    rows = Segment.objects.select_related("volume").filter(pk=segment_id, state__in=_MOVABLE)
    return rows.defer("fragments").first()


def _is_there(volume: Volume) -> bool:
    return state_of(volume) in {VolumeState.READY, VolumeState.FULL}


def _no_step(_name: str) -> None:
    return


@contextmanager
def _only_run() -> Iterator[bool]:
    with own_connections.connect("omma archive") as connection:
        yield try_lock(connection, ARCHIVE)
