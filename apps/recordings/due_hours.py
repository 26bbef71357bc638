"""Which hours of which streams retention looks at now: what has come due, and not what there is.

An hour is looked at while its footage comes of an age (its class decides of which), when it has changed, when
the ages kept for have, and for good measure once a day. So a run costs what happened since the last one,
whatever the archive's size, and a bound on hours keeps a run short where everything changed at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.recordings.hour_sums import HOUR
from apps.recordings.keeping import StreamKeeping
from apps.streams.coverage import LONGEST_SEGMENT
from omma_engine.retention import Ages

MOST_HOURS = 3000  # in one run; the next goes on
MOST_AGAIN = 200  # of these, that are looked at for good measure
AGAIN_AFTER = timedelta(days=1)
_LONGEST_LOOK = timedelta(days=7)  # recordings of so long are put together in one statement
_COMES_OF_AGE = HOUR + 2 * LONGEST_SEGMENT  # as long as it takes until all that began in an hour has

# 0: comes of an age just now, 1: changed, 2: not looked at for long.
_DUE = """
WITH keeping AS (
    SELECT * FROM unnest(%(streams)s::uuid[], %(continuous)s::interval[], %(motion)s::interval[],
                         %(event)s::interval[], %(words)s::text[])
                  AS one (stream_id, continuous, motion, event, words)
), summed AS (
    SELECT keeping.stream_id, hour, looked_at,
           CASE WHEN looked_at IS NULL OR looked_for <> words THEN 1
                WHEN hour + continuous <= %(now)s AND looked_at < hour + continuous + %(comes)s
                  OR hour + motion <= %(now)s AND looked_at < hour + motion + %(comes)s
                  OR hour + event <= %(now)s AND looked_at < hour + event + %(comes)s THEN 0
                WHEN looked_at < %(long_ago)s THEN 2 END AS why
    FROM recordings_stored_hour AS hours JOIN keeping USING (stream_id)
    WHERE volume_id = ANY(%(volumes)s) AND hour < %(now)s - continuous
)
SELECT DISTINCT stream_id, hour FROM (
    (SELECT stream_id, hour, why FROM summed WHERE why < 2
     UNION ALL
     SELECT stream_id, hour, 1 FROM recordings_changed_hour JOIN keeping USING (stream_id)
     WHERE kind = 'stored' AND hour < %(now)s - continuous
     ORDER BY 3, 1, 2 LIMIT %(most)s)
    UNION ALL
    (SELECT stream_id, hour, why FROM summed WHERE why = 2 ORDER BY looked_at, 1, 2 LIMIT %(again)s)
) AS chosen ORDER BY stream_id, hour
"""
_LOOKED = """
UPDATE recordings_stored_hour SET looked_at = %(now)s, looked_for = %(words)s
WHERE stream_id = %(stream)s AND hour >= %(first)s AND hour < %(last)s AND volume_id = ANY(%(volumes)s)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A stretch of whole hours of a stream."""

    stream: StreamKeeping
    start: datetime
    end: datetime


def due_looks(streams: Iterable[StreamKeeping], volume_ids: Sequence[UUID], now: datetime) -> Iterator[Look]:
    """Yield what is to be looked at, hours that follow on each other together."""
    by_id = {one.stream_id: one for one in streams}
    open_look: Look | None = None
    for stream_id, hour in _due_hours(by_id, volume_ids, now):
        if open_look and _goes_on(open_look, stream_id, hour):
            open_look = Look(open_look.stream, open_look.start, hour + HOUR)
            continue
        if open_look:
            yield open_look
        open_look = Look(by_id[stream_id], hour, hour + HOUR)
    if open_look:
        yield open_look


def _goes_on(look: Look, stream_id: UUID, hour: datetime) -> bool:
    is_next = look.stream.stream_id == stream_id and look.end == hour
    return is_next and look.end - look.start < _LONGEST_LOOK


def note_look(look: Look, volume_ids: Sequence[UUID], now: datetime) -> None:
    """Remember that a stretch has been looked at; what changes meanwhile stays noted as changed."""
    values: dict[str, Any] = {
        "stream": look.stream.stream_id,
        "first": look.start,
        "last": look.end,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOKED, {**values, "words": _words_of(look.stream), "volumes": list(volume_ids)})


def _due_hours(
    streams: Mapping[UUID, StreamKeeping], volume_ids: Sequence[UUID], now: datetime
) -> list[tuple[UUID, datetime]]:
    values: dict[str, Any] = {
        "streams": list(streams),
        "continuous": [timedelta(microseconds=one.ages.continuous_us) for one in streams.values()],
        "motion": [timedelta(microseconds=one.ages.motion_us) for one in streams.values()],
        "event": [timedelta(microseconds=one.ages.event_us) for one in streams.values()],
        "words": [_words_of(one) for one in streams.values()],
        "volumes": list(volume_ids),
        "now": now,
        "comes": _COMES_OF_AGE,
        "long_ago": now - AGAIN_AFTER,
        "most": MOST_HOURS,
        "again": MOST_AGAIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        found: list[tuple[UUID, datetime]] = cursor.fetchall()
    return found


def _words_of(one: StreamKeeping) -> str:
    """Return what of a policy a look was for: when it changes, everything is looked at again."""
    ages: Ages = one.ages
    return f"{ages.continuous_us} {ages.motion_us} {ages.event_us}"
