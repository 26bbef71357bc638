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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import merge
from uuid import UUID

from django.utils import timezone

from apps.core import own_connections
from apps.core.advisory_locks import RETENTION, try_lock
from apps.core.times import from_us, to_us
from apps.recordings import clock_guard
from apps.recordings.garbage import sweep_garbage
from apps.recordings.keeping import Keeping, SizeLimit, StreamKeeping, read_keeping
from apps.recordings.retention_rows import (
    BATCH,
    first_start,
    footage_besides,
    oldest_of_stream,
    protected_of,
    stored_bytes,
    wanted_between,
)
from apps.recordings.room import expire_batch, make_room
from apps.streams.models import Volume, VolumeState
from apps.streams.volume_states import state_of
from omma_engine.retention import Footage, Spans, is_too_old, is_unwanted, oldest_until, surely_kept

logger = logging.getLogger(__name__)

WINDOW = timedelta(days=28)  # of one stream, whose recordings are in memory at once
LATELY = timedelta(hours=3)  # longer than from one run over everything to the next
_PRESENT = {VolumeState.READY, VolumeState.FULL}
_BUSY = "another run is at it"


def run(now: datetime | None = None, *, lately: bool = False) -> str:
    """Delete what retention no longer keeps; the periodic job looks at everything each hour."""
    with _only_run() as is_only:
        if not is_only:
            return _BUSY
        is_believed = now is not None or clock_guard.is_believed("retention")
        return _run(now or timezone.now(), with_ages=is_believed, lately=lately)


def run_lately(now: datetime | None = None) -> str:
    """Delete what has come of an age lately, and what is too much: the periodic job of every minute."""
    return run(now, lately=True)


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


def doomed_by_age(
    one: StreamKeeping, volume_ids: Sequence[UUID], now: datetime, *, lately: bool = False
) -> Iterator[list[Footage]]:
    """Yield what of a stream is older than its class is kept, window by window.

    `lately` looks only at what has come of an age within the last hours.
    """
    before = _ago(now, one.ages.continuous_us)
    windows = _strips(one, now) if lately else _windows(one, volume_ids, before)
    for start, end in windows:
        wanted = wanted_between(
            one.stream_id,
            one.camera_id,
            start,
            end,
            events=one.ages.looks_at_events and end > _ago(now, one.ages.event_us),
            motion=one.ages.looks_at_motion and end > _ago(now, one.ages.motion_us),
        )
        kept = surely_kept(wanted, one.ages, now_us=to_us(now))
        for batch in footage_besides(kept, one.stream_id, (start, end), volume_ids):
            yield [each for each in batch if is_too_old(each, wanted, one.ages, now_us=to_us(now))]


def doomed_in_vain(
    one: StreamKeeping, volume_ids: Sequence[UUID], now: datetime, *, lately: bool = False
) -> Iterator[list[Footage]]:
    """Yield what of a stream was recorded in case of an event, and none came."""
    before = _ago(now, one.transient_us)
    windows = _windows(one, volume_ids, before, only_transient=True)
    for start, end in [(before - LATELY, before)] if lately else windows:
        wanted = wanted_between(one.stream_id, one.camera_id, start, end, events=True, motion=False)
        recorded = wanted.held | wanted.events | wanted.motion
        for batch in footage_besides(recorded, one.stream_id, (start, end), volume_ids, only_transient=True):
            yield [
                each
                for each in batch
                if not recorded.touch(each.start_us, each.end_us)
                and is_unwanted(each, wanted, keep_us=one.transient_us, now_us=to_us(now))
            ]


def _run(now: datetime, *, with_ages: bool, lately: bool) -> str:
    volumes = present_volumes()
    ids = [volume.pk for volume in volumes]
    forgotten = sweep_garbage(volumes)
    keeping = read_keeping()
    expired = _expire_by_time(keeping, ids, now, lately=lately) if with_ages else 0
    expired += _expire_by_size(keeping, ids, now)
    forgotten += sweep_garbage(volumes)
    made_room = sum(make_room(volume, now) for volume in volumes)
    doubt = "" if with_ages else ", the clock was set forward: ages wait"
    return f"{expired + made_room} expired, {forgotten + made_room} files deleted{doubt}"


def _expire_by_time(keeping: Keeping, volume_ids: Sequence[UUID], now: datetime, *, lately: bool) -> int:
    choices: tuple[Callable[..., Iterator[list[Footage]]], ...] = (doomed_by_age, doomed_in_vain)
    return sum(
        expire_batch(batch, now)
        for one in keeping.streams
        for choice in choices
        for batch in choice(one, volume_ids, now, lately=lately)
    )


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


def _ago(now: datetime, age_us: int) -> datetime:
    return now - timedelta(microseconds=age_us)


def _strips(one: StreamKeeping, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches in which footage has come of an age lately: one for each class."""
    for age_us in sorted({one.ages.event_us, one.ages.motion_us, one.ages.continuous_us}, reverse=True):
        yield _ago(now, age_us) - LATELY, _ago(now, age_us)


def _windows(
    one: StreamKeeping, volume_ids: Sequence[UUID], before: datetime, *, only_transient: bool = False
) -> Iterator[tuple[datetime, datetime]]:
    """Yield stretches of time in which footage of a stream begins, the oldest first."""
    end = from_us(0)
    while start := first_start(one.stream_id, volume_ids, (end, before), only_transient=only_transient):
        end = min(start + WINDOW, before)
        yield start, end


@contextmanager
def _only_run() -> Iterator[bool]:
    with own_connections.connect("omma retention") as connection:
        yield try_lock(connection, RETENTION)
