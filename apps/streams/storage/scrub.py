"""Scrub: stored bytes are read again, a little at a time, and compared with the hash taken while recording.

A segment that has rotten is marked damaged: it goes on playing, its exports say so, and its neighbours are
none the worse. Nothing is deleted or cut. Buckets are left to their service, which charges for reading.
"""

import logging
import time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core import own_connections
from apps.core.advisory_locks import SCRUB, try_lock
from apps.streams.models import Segment, SegmentState, Volume, VolumeState
from apps.streams.stores.choosing import store_of
from apps.streams.volume_states import state_of, tell
from apps.streams.volumes import is_folder

logger = logging.getLogger(__name__)

BYTES_A_RUN = 512 * (1 << 20)  # of each volume, every ten minutes: about 70 GB a day
TURN_S = 60.0
_BATCH = 100
_FIRST = UUID(int=0)


def scrub(*, bytes_a_run: int = BYTES_A_RUN) -> str:
    """Read on where the last run ended, on every volume: the periodic job."""
    with own_connections.connect("omma scrub") as connection:
        if not try_lock(connection, SCRUB):
            return "another run is at it"
        found = [_scrub(volume, bytes_a_run) for volume in Volume.objects.order_by("id")]
    return f"{sum(read for read, _ in found)} files read, {sum(rotten for _, rotten in found)} damaged"


def _scrub(volume: Volume, bytes_left: int) -> tuple[int, int]:
    """Return how many files of a volume were read, and how many of them are damaged."""
    if not is_folder(volume) or state_of(volume) in {VolumeState.MISSING, VolumeState.FOREIGN}:
        return 0, 0
    read = rotten = 0
    ends_s = time.monotonic() + TURN_S
    at = volume.scrubbed_to or _FIRST
    while bytes_left > 0 and time.monotonic() < ends_s:
        rows = _after(volume, at)
        if not rows:
            Volume.objects.filter(pk=volume.pk).update(scrubbed_to=None, scrubbed_at=timezone.now())
            return read, rotten
        for row in rows:
            at, read = row.pk, read + 1
            rotten += _is_rotten(volume, row)
            bytes_left -= row.durable_bytes
            if bytes_left <= 0 or time.monotonic() >= ends_s:
                break
        Volume.objects.filter(pk=volume.pk).update(scrubbed_to=at)
    return read, rotten


def _after(volume: Volume, segment_id: UUID) -> list[Segment]:
    rows = Segment.objects.filter(
        volume=volume, id__gt=segment_id, state__in=[SegmentState.CLOSED, SegmentState.RECOVERED]
    )
    return list(rows.exclude(sha256="").filter(is_damaged=False).defer("fragments").order_by("id")[:_BATCH])


def _is_rotten(volume: Volume, row: Segment) -> bool:
    """Read a file; mark its row when the bytes are not those that were hashed."""
    store = store_of(volume)
    try:
        if store.size_of(row.path) is None or store.sha256_of(row.path, row.durable_bytes) == row.sha256:
            return False  # what is gone is found by the storage check
        what = "is not as it was recorded"
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
    with transaction.atomic():
        rows = Segment.objects.filter(
            pk=row.pk, volume=volume, sha256=row.sha256, durable_bytes=row.durable_bytes, is_damaged=False
        )
        if not rows.update(is_damaged=True):
            return False
        tell(volume, {"damaged": row.path})
    logger.error("segment %s on %s %s", row.path, volume.name, what)
    return True
