"""What retention reads: footage in batches, what of a stream is wanted, and sums. Memory stays the same.

Every statement is served by an index: what of a stream may go, and sums, by `segment_timeline` alone,
transient footage by `segment_transient`, a volume's oldest by `segment_oldest`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.times import from_us, to_us
from apps.recordings.keeping import StreamKeeping
from apps.recordings.models import LONGEST_RECORDING, Recording, RecordingState
from apps.streams.coverage import LONGEST_SEGMENT, id_ceiling, id_floor
from apps.streams.models import Stream
from omma_engine.retention import Footage, Spans, Wanted
from omma_engine.spans import Span

BATCH = 500
LEAST_MOTION = 0.01  # share of the picture that moved, from which on a minute counts as one with motion
FAR = timedelta(days=3650)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

# What is surely kept is one multirange, made in the database of recordings and of minutes with motion. What
# of the index touches it is passed over, with one search in it for each entry: no row of it comes out.
_DUE = """
WITH kept AS MATERIALIZED (
    SELECT COALESCE(range_agg(span), '{}') AS spans FROM (
        SELECT tstzrange(CASE WHEN is_held THEN start ELSE GREATEST(start, since) END, "end") AS span
        FROM (
            SELECT start, "end", is_held, CASE WHEN labels = '["motion"]' THEN %(motion_since)s::timestamptz
                                               ELSE %(events_since)s::timestamptz END AS since
            FROM recordings_recording
            WHERE stream_id = %(stream)s AND start >= %(first_recording)s AND start < %(last_span)s
        ) AS recorded WHERE is_held OR "end" > since
        UNION ALL
        SELECT tstzrange(LEAST(start, wanted_start), NULL) FROM recordings_recording
        WHERE stream_id = %(stream)s AND state = 'active'
        UNION ALL
        SELECT tstzrange(GREATEST(minute, %(motion_since)s), minute + interval '1 minute')
        FROM inference_minute_summary
        WHERE stream_id = ANY(%(streams)s) AND motion >= %(least)s AND minute < %(last_span)s
          AND minute >= %(first_span)s AND minute > %(motion_since)s::timestamptz - interval '1 minute'
    ) AS found
)
SELECT id, stream_id, start, "end", durable_bytes, false FROM streams_segment
WHERE stream_id = %(stream)s AND start >= %(first)s AND start < %(last)s
  AND id >= %(lowest)s AND id < %(highest)s
  AND state IN ('closed', 'recovered') AND volume_id = ANY(%(volumes)s)
  AND NOT (SELECT spans FROM kept) && tstzrange(start, "end")
ORDER BY start LIMIT %(limit)s
"""
_TRANSIENT = """
SELECT id, stream_id, start, "end", durable_bytes, true FROM streams_segment
WHERE stream_id = %(stream)s AND start >= %(first)s AND start < %(last)s
  AND id >= %(lowest)s AND id < %(highest)s
  AND state IN ('closed', 'recovered') AND volume_id = ANY(%(volumes)s) AND is_transient
ORDER BY start LIMIT %(limit)s
"""
_FIRST = """
SELECT min(start) FROM streams_segment
WHERE stream_id = %(stream)s AND state IN ('closed', 'recovered') AND volume_id = ANY(%(volumes)s)
  AND start >= %(since)s AND start < %(before)s
"""
_OLDEST_OF_STREAM = """
SELECT id, stream_id, start, "end", durable_bytes, is_transient FROM streams_segment
WHERE stream_id = %(stream)s AND start > %(after)s
  AND state IN ('closed', 'recovered') AND volume_id = ANY(%(volumes)s)
ORDER BY start LIMIT %(limit)s
"""
_OLDEST_OF_VOLUME = """
SELECT id, stream_id, start, "end", durable_bytes, is_transient FROM streams_segment
WHERE volume_id = %(volume)s AND (start, id) > (%(after)s, %(after_id)s) AND state IN ('closed', 'recovered')
ORDER BY start, id LIMIT %(limit)s
"""
# Of the sums by the hour; hours that have changed since, and open segments, are looked at themselves.
_SUMS = """
WITH changed AS MATERIALIZED (
    SELECT DISTINCT stream_id, hour FROM recordings_changed_hour WHERE kind = 'stored'
)
SELECT stream_id, volume_id, sum(size)::bigint FROM (
    SELECT stream_id, volume_id, stored_bytes AS size FROM recordings_stored_hour AS summed
    WHERE NOT EXISTS (
        SELECT FROM changed WHERE changed.stream_id = summed.stream_id AND changed.hour = summed.hour
    )
    UNION ALL
    SELECT changed.stream_id, counted.*
    FROM changed CROSS JOIN LATERAL (
        SELECT volume_id, sum(durable_bytes) FROM streams_segment
        WHERE stream_id = changed.stream_id AND start >= changed.hour
          AND start < changed.hour + interval '1 hour' AND state IN ('closed', 'recovered')
        GROUP BY volume_id
    ) AS counted
    UNION ALL
    SELECT stream_id, volume_id, durable_bytes FROM streams_segment WHERE state = 'open'
) AS found GROUP BY stream_id, volume_id
"""
_RATE = """
SELECT count(*), coalesce(sum(durable_bytes), 0)::bigint FROM streams_segment
WHERE volume_id = %(volume)s AND start >= %(since)s AND id >= %(lowest)s
"""
_MOVING = """
SELECT min(minute), max(minute) + interval '1 minute' FROM (
    SELECT minute, minute - row_number() OVER (ORDER BY minute) * interval '1 minute' AS run FROM (
        SELECT DISTINCT minute FROM inference_minute_summary
        WHERE stream_id = ANY(%(streams)s) AND minute >= %(start)s AND minute < %(end)s
          AND motion >= %(least)s
    ) moving
) numbered GROUP BY run
"""


def due_footage(
    one: StreamKeeping, within: tuple[datetime, datetime], volume_ids: Sequence[UUID], now: datetime
) -> Iterator[list[Footage]]:
    """Yield the closed footage of a stream that begins within a range and touches nothing surely kept.

    Surely kept is what is held, and what is of a class that is kept for longer than ago it is. Of the rest,
    `is_too_old` decides.
    """
    ages = one.ages
    values = {
        "streams": streams_of(one.camera_id),
        "events_since": ago(now, ages.event_us) if ages.looks_at_events else NEVER,
        "motion_since": ago(now, ages.motion_us) if ages.looks_at_motion else NEVER,
        "least": LEAST_MOTION,
    }
    yield from _batches(_DUE, one.stream_id, within, volume_ids, **values)


def transient_footage(
    stream_id: UUID, within: tuple[datetime, datetime], volume_ids: Sequence[UUID]
) -> Iterator[list[Footage]]:
    """Yield the closed footage of a stream that begins within a range and waits for an event."""
    yield from _batches(_TRANSIENT, stream_id, within, volume_ids)


def _batches(
    statement: str,
    stream_id: UUID,
    within: tuple[datetime, datetime],
    volume_ids: Sequence[UUID],
    **more: Any,
) -> Iterator[list[Footage]]:
    first, last = within
    values: dict[str, Any] = {"stream": stream_id, "last": last, "highest": id_ceiling(last)}
    values |= {"volumes": list(volume_ids), "limit": BATCH, "last_span": last + LONGEST_SEGMENT, **more}
    while True:
        first_span = first - LONGEST_SEGMENT
        rows = _read(
            statement, first=first, lowest=id_floor(first), first_span=first_span,
            first_recording=first_span - LONGEST_RECORDING, **values,
        )  # fmt: skip
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        first = from_us(rows[-1].start_us + 1)


def first_start(
    stream_id: UUID, volume_ids: Sequence[UUID], within: tuple[datetime, datetime]
) -> datetime | None:
    """Return when the oldest closed footage of a stream that begins within a range does."""
    with connection.cursor() as cursor:
        since, before = within
        values: dict[str, Any] = {"stream": stream_id, "since": since, "before": before}
        cursor.execute(_FIRST, {**values, "volumes": list(volume_ids)})
        found: datetime | None = cursor.fetchone()[0]
    return found


def oldest_of_stream(
    stream_id: UUID, volume_ids: Sequence[UUID], *, after: datetime | None = None
) -> Iterator[Footage]:
    """Yield the closed footage of a stream, the oldest first, or what begins after a time."""
    after = after or from_us(0)
    while rows := _read(
        _OLDEST_OF_STREAM, stream=stream_id, volumes=list(volume_ids), after=after, limit=BATCH
    ):
        yield from rows
        after = from_us(rows[-1].start_us)


def oldest_of_volume(volume_id: UUID) -> Iterator[Footage]:
    """Yield the closed footage on a volume, the oldest first."""
    after, after_id = from_us(0), UUID(int=0)
    while rows := _read(_OLDEST_OF_VOLUME, volume=volume_id, after=after, after_id=after_id, limit=BATCH):
        yield from rows
        after, after_id = from_us(rows[-1].start_us), rows[-1].segment_id


def stored_bytes() -> dict[tuple[UUID, UUID], int]:
    """Return how many bytes are stored of each stream on each volume."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        return {(stream_id, volume_id): total for stream_id, volume_id, total in cursor.fetchall()}


def written_since(volume_id: UUID, since: datetime) -> tuple[int, int]:
    """Return how many files and bytes were begun on a volume since a time."""
    with connection.cursor() as cursor:
        cursor.execute(_RATE, {"volume": volume_id, "since": since, "lowest": id_floor(since)})
        files, size = cursor.fetchone()
    return files, size


def wanted_between(
    stream: UUID, camera: UUID, start: datetime, end: datetime, *, events: bool, motion: bool
) -> Wanted:
    """Return what of a stream is wanted around `[start, end)`; events and motion only where asked for.

    A recording in which nothing but motion was seen counts as motion. Where something moved is said of the
    camera, whichever of its streams was looked at.
    """
    first, last = start - LONGEST_SEGMENT, end + LONGEST_SEGMENT
    near = Recording.objects.filter(
        stream_id=stream, start__gte=first - LONGEST_RECORDING, start__lt=last, end__gt=first
    )
    held = [
        (to_us(one), to_us(other)) for one, other in near.filter(is_held=True).values_list("start", "end")
    ]
    held += _growing(stream, end)
    done: list[tuple[Any, Any, Any]] = []
    if events or motion:
        done = list(near.exclude(state=RecordingState.ACTIVE).values_list("start", "end", "labels"))
    recorded = [(to_us(one), to_us(other)) for one, other, labels in done if labels != ["motion"]]
    moving = [(to_us(one), to_us(other)) for one, other, labels in done if labels == ["motion"]]
    moving += _moving(camera, first, last) if motion else []
    return Wanted(Spans(held), Spans(recorded), Spans(moving))


def protected_of(stream: UUID) -> Spans:
    """Return all that must stay of a stream."""
    rows = Recording.objects.filter(stream_id=stream, is_held=True).values_list("start", "end")
    return Spans([*((to_us(one), to_us(other)) for one, other in rows), *_growing(stream, from_us(0))])


def _growing(stream: UUID, now: datetime) -> list[Span]:
    """Return what growing recordings want: everything from their start on."""
    rows = Recording.objects.filter(stream_id=stream, state=RecordingState.ACTIVE)
    return [
        (to_us(min(start, wanted)), to_us(max(now, start) + FAR))
        for start, wanted in rows.values_list("start", "wanted_start")
    ]


def ago(now: datetime, age_us: int) -> datetime:
    """Return when something that is so old began."""
    return now - timedelta(microseconds=age_us)


def streams_of(camera: UUID) -> list[UUID]:
    return list(Stream.objects.filter(camera_id=camera).values_list("id", flat=True))


def _moving(camera: UUID, start: datetime, end: datetime) -> list[Span]:
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVING, {"streams": streams_of(camera), "start": start, "end": end, "least": LEAST_MOTION}
        )
        return [(to_us(first), to_us(last)) for first, last in cursor.fetchall()]


def _read(statement: str, **values: Any) -> list[Footage]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            Footage(segment_id, stream_id, to_us(start), to_us(end), size, is_transient)
            for segment_id, stream_id, start, end, size, is_transient in cursor.fetchall()
        ]
