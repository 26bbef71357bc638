"""Sums by the hour of what is stored and what was seen, so that figures over months read no single rows.

Triggers note each hour that changes; once an hour is over, the periodic job sums it anew from its rows, as
often as it changes. Until then whoever asks reads its rows themselves. So sums are exact at every moment.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.core.advisory_locks import HOUR_SUMS
from apps.recordings.models import HourKind

HOUR = timedelta(hours=1)
_WAIT = timedelta(minutes=5)  # after an hour's end most of it has come
_BATCH = 20_000  # changes
_LONGEST_RUN_S = 20.0

_TAKE = """
DELETE FROM recordings_changed_hour WHERE id IN (
    SELECT id FROM recordings_changed_hour WHERE hour < %(before)s ORDER BY hour LIMIT %(limit)s
) RETURNING kind, stream_id, hour
"""
_CHANGED = "unnest(%(streams)s::uuid[], %(hours)s::timestamptz[]) AS changed (stream_id, hour)"
_SUMS = {
    HourKind.STORED: (
        "recordings_stored_hour",
        f"""
INSERT INTO recordings_stored_hour (stream_id, hour, volume_id, segments, stored_bytes, recorded)
SELECT changed.stream_id, changed.hour, found.*
FROM {_CHANGED} CROSS JOIN LATERAL (
    SELECT volume_id, count(*), sum(durable_bytes), sum("end" - start) FROM streams_segment
    WHERE stream_id = changed.stream_id AND start >= changed.hour AND start < changed.hour + interval '1 hour'
      AND state IN ('closed', 'recovered')
    GROUP BY volume_id
) AS found
""",  # noqa: S608 - constants only
    ),
    HourKind.SEEN: (
        "recordings_seen_hour",
        f"""
INSERT INTO recordings_seen_hour (stream_id, hour, label, sightings, minutes)
SELECT changed.stream_id, changed.hour, found.*
FROM {_CHANGED} CROSS JOIN LATERAL (
    SELECT label.key, sum(label.value::bigint), count(*)
    FROM inference_minute_summary, jsonb_each_text(labels) AS label
    WHERE stream_id = changed.stream_id AND minute >= changed.hour
      AND minute < changed.hour + interval '1 hour'
    GROUP BY label.key
) AS found
""",  # noqa: S608 - constants only
    ),
}


def sum_changed(now: datetime | None = None) -> str:
    """Sum hours that are over and have changed: the periodic job."""
    before = hour_of((now or timezone.now()) - _WAIT)
    until_s = time.monotonic() + _LONGEST_RUN_S
    count = 0
    while batch := _sum_next(before):
        count += batch
        if time.monotonic() > until_s:
            break  # the next run goes on; what waits is read row by row
    return f"{count} hours"


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of UTC begins that a moment is in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@transaction.atomic
def _sum_next(before: datetime) -> int:
    """Sum hours of the oldest changes; return how many.

    A change that is committed meanwhile stays noted, and its hour is summed once more.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [HOUR_SUMS])
        cursor.execute(_TAKE, {"before": before, "limit": _BATCH})
        taken = set(cursor.fetchall())
    for kind in HourKind:
        _sum(kind, [(stream_id, hour) for of, stream_id, hour in taken if of == kind])
    return len(taken)


def _sum(kind: HourKind, hours: Iterable[tuple[UUID, datetime]]) -> None:
    table, statement = _SUMS[kind]
    pairs = sorted(hours)
    values: dict[str, Any] = {"streams": [one for one, _ in pairs], "hours": [hour for _, hour in pairs]}
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} AS sums USING {_CHANGED} "  # noqa: S608 - constants only
            "WHERE sums.stream_id = changed.stream_id AND sums.hour = changed.hour",
            values,
        )
        cursor.execute(statement, values)
