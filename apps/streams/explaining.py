"""Time that nobody explains yet: streams that nothing writes get an open gap, which recording later ends."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from apps.core.lease_statements import FENCE
from apps.core.models import Lease
from apps.core.times import to_us
from apps.streams.coverage import covered_until
from apps.streams.models import Gap, Mode, SourceStatus, Stream
from omma_engine.ids import segment_id
from omma_engine.types import GapCause

PATIENCE = timedelta(seconds=30)  # a takeover or restart explains itself within
_OPEN = -3  # in place of a segment's sequence, in the derived id


def explain_silence(now: datetime | None = None) -> str:
    """Open a gap for each stream that nothing writes and nobody explains; return how many."""
    now = now or timezone.now()
    opened = 0
    running = _running_sources()
    explained = set(Gap.objects.filter(end__isnull=True).values_list("stream_id", flat=True))
    for stream in Stream.objects.select_related("source", "camera", "account").exclude(id__in=explained):
        cause = _cause(stream, running)
        if cause is not None and _open_gap(stream, cause, now):
            opened += 1
    return f"{opened} gaps opened"


def _running_sources() -> set[UUID]:
    rows = Lease.objects.filter(Q(lease_until__gt=timezone.now() - PATIENCE)).exclude(owner="")
    return set(rows.values_list("object_id", flat=True))


def _cause(stream: Stream, running: set[UUID]) -> GapCause | None:
    is_wanted = stream.source.is_wanted and stream.camera.is_enabled and stream.account.is_active
    if not is_wanted:
        return GapCause.POLICY
    if stream.source.status == SourceStatus.ENDED:
        return GapCause.PLANNED
    if stream.source_id in running:
        return None  # its child explains every hole itself
    return GapCause.POLICY if stream.mode == Mode.OFF else GapCause.WORKER


@transaction.atomic
def _open_gap(stream: Stream, cause: GapCause, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(FENCE, {"ids": [stream.source_id]})  # no news of this source are written meanwhile
    covered, _ = covered_until(stream.id, now)
    since = covered or stream.created_at
    if now - since < PATIENCE:
        return False
    gap = Gap(
        id=segment_id(stream_id=stream.id, epoch=0, sequence=_OPEN, start_us=to_us(since)),
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream_id=stream.id,
        start=since,
        cause=cause.value,
    )
    return bool(Gap.objects.bulk_create([gap], ignore_conflicts=True))
