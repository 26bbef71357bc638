"""Retention: gathers the facts, lets the engine decide, and deletes in journalled steps.

1. Mark the row garbage and write the gap that says so, in one transaction under the stream's lock; from here
   on nobody opens the file.
2. Unlink the file; who has it open reads on.
3. Sync the folder.
4. Forget the row.

A crash after any step is made good by the next run, which begins with the garbage it finds.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apps.core import outbox
from apps.core.times import to_us
from apps.recordings import rolls
from apps.recordings.expiry import expire
from apps.recordings.models import Recording, RecordingState, RetentionPolicy
from apps.streams.models import Segment, SegmentState, Stream, Volume, VolumeState
from apps.streams.volume_states import state_of
from omma_engine.retention import (
    Footage,
    Interval,
    Limits,
    RetentionDecision,
    RetentionFacts,
    VolumeFacts,
    decide,
)

logger = logging.getLogger(__name__)

DEFAULT_LIMITS = Limits(max_age_us=7 * 24 * 3600 * 1_000_000, max_bytes=10 * (1 << 30))
_HOUR_US = 3600 * 1_000_000
_TRANSIENT_KEEP_FACTOR = 2
_PRESENT = {VolumeState.READY, VolumeState.FULL}
_FAR = timedelta(days=3650)


def run(now: datetime | None = None) -> str:
    """Delete what retention no longer keeps: the periodic job."""
    now = now or timezone.now()
    volumes = present_volumes()
    forgotten = sweep_garbage(volumes)
    decision = decide(gather(now, volumes))
    marked = expire_all(decision, now)
    forgotten += sweep_garbage(volumes)
    _tell_starvation(decision)
    return f"{marked} expired, {forgotten} files deleted"


def present_volumes() -> list[Volume]:
    """Return the volumes whose folder is there and carries their own identity; the rest is left alone."""
    return [volume for volume in Volume.objects.order_by("id") if state_of(volume) in _PRESENT]


def gather(now: datetime, volumes: Iterable[Volume]) -> RetentionFacts:
    """Return what the decision looks at."""
    present = list(volumes)
    policies = list(RetentionPolicy.objects.all())
    return RetentionFacts(
        now_us=to_us(now),
        footage=_footage([volume.pk for volume in present]),
        recordings=_intervals(now),
        volumes=[_facts_of(volume) for volume in present],
        default_limits=DEFAULT_LIMITS,
        account_limits={one.account_id: _limits(one) for one in policies if one.camera_id is None},
        camera_limits={one.camera_id: _limits(one) for one in policies if one.camera_id is not None},
        transient_keep_us=_transient_keep(),
    )


def expire_all(decision: RetentionDecision, now: datetime) -> int:
    """Mark what was decided as garbage, stream by stream; return how many segments it was."""
    by_stream: dict[UUID, list[UUID]] = defaultdict(list)
    for segment_id, stream_id in Segment.objects.filter(id__in=decision.doomed).values_list(
        "id", "stream_id"
    ):
        by_stream[stream_id].append(segment_id)
    return sum(expire(stream_id, by_stream[stream_id], now=now) for stream_id in sorted(by_stream))


def sweep_garbage(volumes: Iterable[Volume]) -> int:
    """Delete the files of garbage rows and then the rows; return how many."""
    count = 0
    for volume in volumes:
        rows = Segment.objects.filter(state=SegmentState.GARBAGE, volume=volume).order_by("id")
        paths = dict(rows.values_list("id", "path"))
        unlinked = [segment_id for segment_id, path in paths.items() if _unlink(Path(volume.root), path)]
        _sync_folders({(Path(volume.root) / paths[segment_id]).parent for segment_id in unlinked})
        Segment.objects.filter(id__in=unlinked, state=SegmentState.GARBAGE).delete()
        count += len(unlinked)
    return count


def _footage(volume_ids: list[UUID]) -> list[Footage]:
    rows = Segment.objects.filter(volume_id__in=volume_ids).exclude(state=SegmentState.GARBAGE)
    columns = rows.values_list(
        "id", "stream_id", "camera_id", "account_id", "volume_id", "start", "end", "durable_bytes", "state",
        "is_transient",
    )  # fmt: skip
    return [
        Footage(
            segment_id=segment_id,
            stream_id=stream_id,
            camera_id=camera_id,
            account_id=account_id,
            volume_id=volume_id,
            start_us=to_us(start),
            end_us=to_us(end),
            size_bytes=size,
            is_open=state == SegmentState.OPEN,
            is_transient=is_transient,
        )
        for (
            segment_id, stream_id, camera_id, account_id, volume_id, start, end, size, state, is_transient,
        ) in columns.iterator(chunk_size=5000)
    ]  # fmt: skip


def _intervals(now: datetime) -> list[Interval]:
    rows = Recording.objects.values_list("stream_id", "wanted_start", "start", "end", "state", "is_held")
    return [
        Interval(
            stream_id,
            to_us(min(start, wanted_start) if state == RecordingState.ACTIVE else start),
            to_us(now + _FAR if state == RecordingState.ACTIVE else end),
            is_protected=is_held or state == RecordingState.ACTIVE,
        )
        for stream_id, wanted_start, start, end, state, is_held in rows
    ]


def _transient_keep() -> dict[UUID, int]:
    """Return how long footage of each stream waits for an event, in microseconds: twice what one may want."""
    wanted = rolls.seconds_wanted(list(Stream.objects.all()))
    return {
        stream_id: round(_TRANSIENT_KEEP_FACTOR * seconds * 1_000_000)
        for stream_id, seconds in wanted.items()
    }


def _limits(policy: RetentionPolicy) -> Limits:
    return Limits(max_age_us=policy.max_age_hours * _HOUR_US, max_bytes=policy.max_bytes)


def _facts_of(volume: Volume) -> VolumeFacts:
    room = os.statvfs(volume.root)
    free = room.f_bavail * room.f_frsize
    if volume.max_bytes is not None:
        used = Segment.objects.filter(volume=volume).aggregate(total=Sum("durable_bytes"))["total"] or 0
        free = min(free, volume.max_bytes - used + volume.min_free_bytes)
    return VolumeFacts(volume.pk, free_bytes=free, min_free_bytes=volume.min_free_bytes)


def _unlink(root: Path, relative: str) -> bool:
    """Delete a file of a volume; one that is gone already counts."""
    target = root / relative
    if not target.resolve().is_relative_to(root.resolve()):
        logger.error("segment path leads out of its volume: %s", relative)
        return False
    try:
        target.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("cannot delete %s: %s", target, error)
        return False
    return True


def _sync_folders(folders: Iterable[Path]) -> None:
    for folder in sorted(folders):
        if folder.is_dir():
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _tell_starvation(decision: RetentionDecision) -> None:
    """Say loudly that only held or growing footage is left where room is needed."""
    for volume_id, missing in decision.starved_volumes.items():
        logger.error("volume %s lacks %d bytes and holds only held footage", volume_id, missing)
        with transaction.atomic():
            outbox.publish(
                "system.updated",
                subject_kind="volume",
                subject_id=volume_id,
                payload={"state": "only_held_left", "missing_bytes": missing},
            )
    for account_id, excess in decision.starved_accounts.items():
        logger.warning("account %s keeps %d bytes more than its limit, all of it held", account_id, excess)
