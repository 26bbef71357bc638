"""Retention: reads the facts in batches, lets the engine decide, and deletes in journalled steps.

1. Mark the row garbage and write the gap that says so, in one transaction under the stream's lock; from here
   on nobody opens the file.
2. Delete the file; who has it open reads on.
3. Sync the folder.
4. Forget the row.

A crash after any step is made good by the next run, which begins with the garbage it finds. One run at a
time, by an advisory lock; volumes that are missing, foreign or read-only are left alone.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import merge
from uuid import UUID

from django.utils import timezone

from apps.core import own_connections
from apps.core.advisory_locks import RETENTION, try_lock
from apps.core.times import from_us, to_us
from apps.recordings import clock_guard
from apps.recordings.due_hours import Look, due_looks, note_look
from apps.recordings.garbage import sweep_garbage
from apps.recordings.keeping import Keeping, SizeLimit, StreamKeeping, read_keeping
from apps.recordings.retention_rows import (
    BATCH,
    ago,
    due_footage,
    oldest_of_stream,
    protected_of,
    stored_bytes,
    transient_footage,
    wanted_between,
)
from apps.recordings.room import expire_batch, make_room
from apps.streams.models import Volume, VolumeState
from apps.streams.volume_states import state_of
from omma_engine.retention import Footage, Spans, Wanted, is_too_old, is_unwanted, oldest_until

logger = logging.getLogger(__name__)

LATELY = timedelta(hours=3)  # of what waited for an event, looked at in each run
_PRESENT = {VolumeState.READY, VolumeState.FULL}
_BUSY = "another run is at it"


def run(now: datetime | None = None) -> str:
    """Delete what retention no longer keeps: the periodic job of every minute."""
    with _only_run() as is_only:
        if not is_only:
            return _BUSY
        is_believed = now is not None or clock_guard.is_believed("retention")
        return _run(now or timezone.now(), with_ages=is_believed)


def rotate(now: datetime | None = None) -> str:
    """Make room on volumes that are nearly full: the periodic job of every few seconds."""
    with _only_run() as is_only:
        if not is_only:
            return _BUSY
        volumes = present_volumes()
        count = sum(make_room(one, now or timezone.now(), is_thorough=False) for one in volumes)
        return f"{count} expired"


def present_volumes() -> list[Volume]:
    """Return the volumes that are there and carry their own identity; the rest is left alone."""
    return [volume for volume in Volume.objects.order_by("id") if state_of(volume) in _PRESENT]


def doomed_by_age(look: Look, volume_ids: Sequence[UUID], now: datetime) -> Iterator[list[Footage]]:
    """Yield what of a stretch is older than its class is kept."""
    one, ages = look.stream, look.stream.ages
    before = min(look.end, ago(now, ages.continuous_us))
    for batch in due_footage(one, (look.start, before), volume_ids, now):
        wanted = _wanted_of(one, batch, events=ages.looks_at_events, motion=ages.looks_at_motion)
        yield [each for each in batch if is_too_old(each, wanted, ages, now_us=to_us(now))]


def doomed_in_vain(
    one: StreamKeeping, within: tuple[datetime, datetime], volume_ids: Sequence[UUID], now: datetime
) -> Iterator[list[Footage]]:
    """Yield what of a stream was recorded in case of an event, and none came."""
    before = min(within[1], ago(now, one.transient_us))
    for batch in transient_footage(one.stream_id, (within[0], before), volume_ids):
        wanted = _wanted_of(one, batch, events=True, motion=False)
        recorded = wanted.held | wanted.events | wanted.motion
        yield [
            each
            for each in batch
            if not recorded.touch(each.start_us, each.end_us)
            and is_unwanted(each, wanted, keep_us=one.transient_us, now_us=to_us(now))
        ]


def _wanted_of(one: StreamKeeping, batch: Sequence[Footage], *, events: bool, motion: bool) -> Wanted:
    """Return what is wanted of the time of a batch, which is in order."""
    end_us = max(each.end_us for each in batch)
    first, last = from_us(batch[0].start_us), from_us(end_us)
    return wanted_between(one.stream_id, one.camera_id, first, last, events=events, motion=motion)


def _run(now: datetime, *, with_ages: bool) -> str:
    volumes = present_volumes()
    ids = [volume.pk for volume in volumes]
    forgotten = sweep_garbage(volumes)
    keeping = read_keeping()
    expired = _expire_by_time(keeping, ids, now) if with_ages else 0
    expired += _expire_by_size(keeping, ids, now)
    forgotten += sweep_garbage(volumes)
    made_room = sum(make_room(volume, now) for volume in volumes)
    doubt = "" if with_ages else ", the clock was set forward: ages wait"
    return f"{expired + made_room} expired, {forgotten + made_room} files deleted{doubt}"


def _expire_by_time(keeping: Keeping, volume_ids: Sequence[UUID], now: datetime) -> int:
    count = 0
    for one in keeping.streams:
        lately = (ago(now, one.transient_us) - LATELY, now)
        count += sum(expire_batch(batch, now) for batch in doomed_in_vain(one, lately, volume_ids, now))
    for look in due_looks(keeping.streams, volume_ids, now):
        within = (look.start, look.end)
        for batch in doomed_in_vain(look.stream, within, volume_ids, now):
            count += expire_batch(batch, now)
        for batch in doomed_by_age(look, volume_ids, now):
            count += expire_batch(batch, now)
        note_look(look, volume_ids, now)
    return count


def _expire_by_size(keeping: Keeping, volume_ids: Sequence[UUID], now: datetime) -> int:
    stored: dict[UUID, int] = {}
    for (stream_id, volume_id), size in stored_bytes().items():
        if volume_id in volume_ids:
            stored[stream_id] = stored.get(stream_id, 0) + size
    return sum(_shrink(limit, stored, volume_ids, now) for limit in keeping.sizes)


def _shrink(limit: SizeLimit, stored: dict[UUID, int], volume_ids: Sequence[UUID], now: datetime) -> int:
    """Delete the oldest of some streams until they fit; `stored` is kept up to date."""
    excess = sum(stored.get(one, 0) for one in limit.stream_ids) - limit.max_bytes
    if excess <= 0:
        return 0
    protected = {one: protected_of(one) for one in limit.stream_ids if stored.get(one)}
    oldest = merge(*(oldest_of_stream(one, volume_ids) for one in protected), key=lambda one: one.start_us)
    count = 0
    chosen = oldest_until(oldest, excess, lambda one: _touches(protected, one))
    batch: list[Footage] = []
    for one in chosen:
        batch.append(one)
        stored[one.stream_id] -= one.size_bytes
        excess -= one.size_bytes
        if len(batch) >= BATCH:
            count += expire_batch(batch, now)
            batch = []
    count += expire_batch(batch, now)
    if excess > 0 and limit.account_id is not None:
        logger.warning(
            "account %s keeps %d bytes more than its limit, all of it held", limit.account_id, excess
        )
    return count


def _touches(protected: dict[UUID, Spans], one: Footage) -> bool:
    return protected[one.stream_id].touch(one.start_us, one.end_us)


@contextmanager
def _only_run() -> Iterator[bool]:
    with own_connections.connect("omma retention") as connection:
        yield try_lock(connection, RETENTION)
