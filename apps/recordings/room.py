"""Room on volumes: the oldest footage goes before a disk or quota is full, whatever was to be kept.

Five minutes of all cameras always fit. Held footage stays, and where only that is left it is said loudly.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.recordings.expiry import expire
from apps.recordings.garbage import sweep_garbage
from apps.recordings.retention_rows import BATCH, oldest_of_volume, protected_of, written_since
from apps.streams.models import Segment, SegmentState, Volume
from apps.streams.stores.choosing import store_of
from apps.streams.volume_states import look_at, note, tell
from omma_engine.retention import Footage, RoomFacts, Spans, missing_room, oldest_until

logger = logging.getLogger(__name__)

_RATE_OVER = timedelta(minutes=10)
_MOST_LOOKED_AT = 20_000  # rows in one turn: where nearly all is held, the long way is retention's


def make_room(volume: Volume, now: datetime, *, is_thorough: bool = True) -> int:
    """Delete the oldest footage of a volume until there is room; return how many segments went.

    Called for volumes that are present and ours only, one job at a time.
    """
    count = 0
    missing_bytes, missing_files = missing_room(facts_of(volume, now))
    while missing_bytes > 0 or missing_files > 0:
        is_protected = _protection()
        rows = oldest_of_volume(volume.pk)
        chosen = oldest_until(
            rows if is_thorough else islice(rows, _MOST_LOOKED_AT),
            missing_bytes,
            is_protected,
            missing_files=missing_files,
        )
        batch = list(islice(chosen, BATCH))
        gone = expire_batch(batch, now)
        count += gone
        if not gone:
            _tell_starvation(volume, missing_bytes)
            break
        sweep_garbage([volume])
        missing_bytes, missing_files = missing_room(facts_of(volume, now))
    if count:
        logger.info("volume %s: %d segments went, to make room", volume.name, count)
        note(volume, look_at(volume))
    return count


def facts_of(volume: Volume, now: datetime) -> RoomFacts:
    """Return what room is decided over."""
    room = store_of(volume).room()
    files, written = written_since(volume.pk, now - _RATE_OVER)
    minutes = _RATE_OVER.total_seconds() / 60
    if volume.max_bytes is not None:
        volume.used_bytes = _used(volume)
        Volume.objects.filter(pk=volume.pk).update(used_bytes=volume.used_bytes)
    return RoomFacts(
        min_free_bytes=volume.min_free_bytes,
        minute_bytes=round(written / minutes),
        minute_files=round(files / minutes) + 1,
        free_bytes=room.free_bytes,
        total_bytes=room.total_bytes,
        free_files=room.free_files,
        quota_bytes=volume.max_bytes,
        used_bytes=volume.used_bytes,
    )


def expire_batch(batch: Iterable[Footage], now: datetime) -> int:
    """Mark footage of several streams garbage, as far as it still may go; return how many segments."""
    by_stream = sorted(batch, key=lambda one: (one.stream_id, one.start_us))
    return sum(
        expire(stream_id, [one.segment_id for one in rows], now=now)
        for stream_id, rows in groupby(by_stream, key=lambda one: one.stream_id)
    )


def in_batches(footage: Iterable[Footage]) -> Iterator[list[Footage]]:
    """Yield footage in batches."""
    rows = iter(footage)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _protection() -> Callable[[Footage], bool]:
    known: dict[UUID, Spans] = {}

    def is_protected(one: Footage) -> bool:
        if one.stream_id not in known:
            known[one.stream_id] = protected_of(one.stream_id)
        return known[one.stream_id].touch(one.start_us, one.end_us)

    return is_protected


def _used(volume: Volume) -> int:
    rows = Segment.objects.filter(volume=volume).exclude(state=SegmentState.GARBAGE)
    return rows.aggregate(total=Sum("durable_bytes"))["total"] or 0


def _tell_starvation(volume: Volume, missing_bytes: int) -> None:
    """Say loudly that only held or growing footage is left where room is needed."""
    logger.error("volume %s lacks %d bytes and holds only held footage", volume.name, missing_bytes)
    with transaction.atomic():
        tell(volume, {"state": "only_held_left", "missing_bytes": missing_bytes})
