"""Figures over cameras and time: what is stored and missing, what was recorded, and what was seen.

A number of queries that does not depend on how many cameras there are. What was seen comes from the minutes'
summaries, which outlive the tracks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.streams.coverage import LONGEST_SEGMENT, id_ceiling, id_floor

MAX_RANGE = timedelta(days=93)
MAX_LABELS = 100

# By stream, which the tables are indexed by. Cut to the range; a day is a day of UTC. Segments are about a
# minute long and counted on the day they begin.
_STORED = """
SELECT camera_id, date_trunc('day', start AT TIME ZONE 'UTC')::date, count(*), sum(durable_bytes),
       sum(LEAST("end", %(end)s) - GREATEST(start, %(start)s))
FROM streams_segment
WHERE stream_id IN (SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))
  AND start < %(end)s AND "end" > %(start)s AND start >= %(earliest)s
  AND id >= %(first_id)s AND id <= %(last_id)s AND state <> 'garbage'
GROUP BY 1, 2
"""
_MISSING = """
SELECT camera_id, cause, count(*), sum(LEAST(COALESCE("end", %(now)s), %(end)s) - GREATEST(start, %(start)s))
FROM streams_gap
WHERE stream_id IN (SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))
  AND start < LEAST(%(end)s, %(now)s)
  AND COALESCE("end", %(now)s) > %(start)s
GROUP BY 1, 2
"""
_RECORDINGS = """
SELECT camera_id, date_trunc('day', start AT TIME ZONE 'UTC')::date, count(*)
FROM recordings_recording
WHERE stream_id IN (SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))
  AND start < %(end)s AND "end" > %(start)s
GROUP BY 1, 2
"""
_SEEN = """
SELECT camera_id, label.key, sum(label.value::bigint), count(*)
FROM inference_minute_summary, jsonb_each_text(labels) AS label
WHERE stream_id IN (SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))
  AND minute >= %(start)s AND minute < %(end)s
GROUP BY 1, 2
"""


@dataclass(slots=True)
class Figures:
    """Sums over one camera, one day, or everything. `gap_s` is not known by the day."""

    segments: int = 0
    stored_bytes: int = 0
    recorded_s: float = 0.0
    recordings: int = 0
    gaps: int = 0
    gap_s: float = 0.0


@dataclass(slots=True)
class LabelFigures:
    """How often a label was seen: objects in a minute, summed, and minutes with one."""

    label: str
    sightings: int = 0
    minutes: int = 0


@dataclass(slots=True)
class Statistics:
    """All figures of a range."""

    start: datetime
    end: datetime
    totals: Figures = field(default_factory=Figures)
    cameras: dict[UUID, Figures] = field(default_factory=dict)
    days: dict[Any, Figures] = field(default_factory=dict)
    gap_s_by_cause: dict[str, float] = field(default_factory=dict)
    labels: dict[str, LabelFigures] = field(default_factory=dict)

    def of(self, camera_id: UUID, day: Any = None) -> Iterable[Figures]:
        """Return every sum that something of this camera (and day) belongs to."""
        yield self.totals
        yield self.cameras[camera_id]
        if day is not None:
            yield self.days.setdefault(day, Figures())


def statistics_of_cameras(
    camera_ids: Iterable[UUID], start: datetime, end: datetime, *, now: datetime
) -> Statistics:
    """Return the figures of these cameras in `[start, end)`."""
    found = Statistics(start, end, cameras={one: Figures() for one in camera_ids})
    values = {
        "cameras": list(found.cameras),
        "start": start,
        "end": end,
        "now": now,
        "earliest": start - LONGEST_SEGMENT,
        "first_id": id_floor(start - LONGEST_SEGMENT),
        "last_id": id_ceiling(end),
    }
    for camera_id, day, count, size, recorded in _rows(_STORED, values):
        for figures in found.of(camera_id, day):
            figures.segments += count
            figures.stored_bytes += int(size)
            figures.recorded_s += recorded.total_seconds()
    for camera_id, cause, count, missing in _rows(_MISSING, values):
        seconds = missing.total_seconds()
        found.gap_s_by_cause[cause] = found.gap_s_by_cause.get(cause, 0.0) + seconds
        for figures in found.of(camera_id):
            figures.gaps += count
            figures.gap_s += seconds
    for camera_id, day, count in _rows(_RECORDINGS, values):
        for figures in found.of(camera_id, day):
            figures.recordings += count
    for _, label, sightings, minutes in _rows(_SEEN, values):
        seen = found.labels.setdefault(label, LabelFigures(label))
        seen.sightings += int(sightings)
        seen.minutes += minutes
    return found


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
