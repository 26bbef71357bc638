"""Time that nobody explains yet: streams that nothing writes get an open gap, which recording later ends.

A child explains every hole of its own, and who takes over explains the one before. What is left is looked for
here, where no capture worker need be alive: streams that nobody holds, and those whose child has yet to reach
its camera.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.core.lease_statements import FENCE, IS_ALIVE
from apps.core.leases import NO_STEAL_S, UNSEEN_S
from apps.core.times import to_us
from apps.streams.coverage import covered_until
from apps.streams.models import Gap, Mode, SourceStatus, Stream
from omma_engine.ids import segment_id
from omma_engine.types import GapCause

PATIENCE = timedelta(seconds=2.5)  # more than passes between two pieces of news of what is recorded
_OPEN = -3  # in place of a segment's sequence, in the derived id

# Nothing is told of anybody for a while after Postgres began: its workers are perhaps only reconnecting.
_UNEXPLAINED = f"""
SELECT stream.id, stream.mode, source.status, source.status_at, held.is_held,
       source.is_wanted AND camera.is_enabled AND account.is_active AS is_wanted
FROM streams_stream stream
JOIN streams_source source ON source.id = stream.source_id
JOIN cameras_camera camera ON camera.id = stream.camera_id
JOIN accounts_account account ON account.id = stream.account_id
LEFT JOIN core_lease lease ON lease.object_id = source.id
CROSS JOIN LATERAL (
    SELECT coalesce(
        lease.owner <> '' AND lease.lease_until > clock_timestamp()
        AND (lease.seen_at > clock_timestamp() - make_interval(secs => %(unseen_s)s) OR {IS_ALIVE}),
        false
    ) AS is_held
) held
WHERE camera.address NOT LIKE 'import:%%'  -- a file's footage ends where it ends
  AND (NOT held.is_held OR source.status = %(connecting)s)
  AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %(no_steal_s)s)
  AND (  -- asked of each that is left, by the index: an anti-join might read all gaps
    SELECT gap.id FROM streams_gap gap WHERE gap.stream_id = stream.id AND gap."end" IS NULL LIMIT 1
  ) IS NULL
"""  # noqa: S608 - constants only


class _Unexplained(NamedTuple):
    stream_id: UUID
    mode: str
    status: str
    status_at: datetime | None
    is_held: bool
    is_wanted: bool


def explain_silence(now: datetime | None = None) -> int:
    """Open a gap for each stream that nothing writes and nobody explains; return how many."""
    now = now or timezone.now()
    return sum(_open_gap(one, now) for one in _unexplained())


def _unexplained() -> list[_Unexplained]:
    parameters: dict[str, Any] = {
        "unseen_s": UNSEEN_S,
        "no_steal_s": NO_STEAL_S,
        "connecting": SourceStatus.CONNECTING,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UNEXPLAINED, parameters)
        return [_Unexplained(*row) for row in cursor.fetchall()]


def _cause(one: _Unexplained) -> tuple[GapCause, str]:
    if not one.is_wanted:
        return GapCause.POLICY, ""
    if one.status == SourceStatus.ENDED:
        return GapCause.PLANNED, ""
    if one.mode == Mode.OFF:
        return GapCause.POLICY, ""
    if one.is_held:
        return GapCause.NETWORK, "the camera has not answered yet"
    return GapCause.WORKER, "no worker records it"


def _is_late(one: _Unexplained, since: datetime, now: datetime) -> bool:
    """Return whether a child has been trying to reach its camera for a while."""
    return now - max(since, one.status_at or since) >= PATIENCE


@transaction.atomic
def _open_gap(one: _Unexplained, now: datetime) -> bool:
    stream = Stream.objects.get(id=one.stream_id)
    with connection.cursor() as cursor:
        cursor.execute(FENCE, {"ids": [stream.source_id]})  # no news of this source are written meanwhile
    covered, _ = covered_until(stream.id, now)
    since = covered or stream.created_at
    if now - since < PATIENCE or (one.is_held and not _is_late(one, since, now)):
        return False
    cause, detail = _cause(one)
    gap = Gap(
        id=segment_id(stream_id=stream.id, epoch=0, sequence=_OPEN, start_us=to_us(since)),
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream_id=stream.id,
        start=since,
        cause=cause.value,
        detail=detail,
    )
    return bool(Gap.objects.bulk_create([gap], ignore_conflicts=True))
