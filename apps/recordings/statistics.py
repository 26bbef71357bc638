"""Figures over cameras and time: what is stored and missing, what was recorded, and what was seen.

A number of queries that does not depend on how many cameras there are. What was seen comes from the minutes'
summaries, which outlive the tracks.

Segments and labels are summed by the hour (`hour_sums`); hours at the edges of the range, or in which a day
begins, and those that have changed since, are counted row by row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.days import Day
from apps.recordings.hour_sums import HOUR, hour_of
from apps.recordings.models import LONGEST_RECORDING
from apps.recordings.statistics_statements import MISSING, RECORDINGS, SEEN, STORED, TRACKS
from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor

MAX_RANGE = timedelta(days=93)
MAX_LABELS = 100
MAX_TRACKS = 100
MAX_RANKED_TRACKS = 100_000  # the newest of the range; ranking millions would take a while


@dataclass(slots=True)
class Figures:
    """Sums over one camera, one day, or everything."""

    segments: int = 0
    stored_bytes: int = 0
    recorded_s: float = 0.0
    recordings: int = 0
    recordings_s: float = 0.0
    gaps: int = 0
    gap_s: float = 0.0
    gap_s_by_cause: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class CauseFigures:
    """How many gaps of a cause there are, and how long they are in all."""

    cause: str
    gaps: int = 0
    gap_s: float = 0.0


@dataclass(slots=True)
class LabelFigures:
    """How often a label was seen: objects in a minute, summed, and minutes with one."""

    label: str
    sightings: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """An object, and in how many pictures it was found."""

    track: UUID
    camera: UUID
    stream: UUID
    analytic: UUID
    number: int
    label: str
    confidence: float
    start: datetime
    end: datetime
    hits: int


@dataclass(slots=True)
class Statistics:
    """All figures of a range. `has_all_tracks` is False where only the newest tracks were ranked."""

    start: datetime
    end: datetime
    totals: Figures = field(default_factory=Figures)
    cameras: dict[UUID, Figures] = field(default_factory=dict)
    days: list[Figures] = field(default_factory=list)
    causes: dict[str, CauseFigures] = field(default_factory=dict)
    labels: dict[str, LabelFigures] = field(default_factory=dict)
    tracks: list[TrackFigures] = field(default_factory=list)
    has_all_tracks: bool = True

    def of(self, camera_id: UUID | None, day_number: int | None) -> Iterable[Figures]:
        """Return every sum that a camera's, or a day's (the first is 1), adds to."""
        if camera_id is not None:
            yield self.totals
            yield self.cameras[camera_id]
        else:  # what began before the range counts on its first day
            yield self.days[min(max(day_number or 1, 1), len(self.days)) - 1]


def statistics_of_cameras(
    camera_ids: Iterable[UUID],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    days: list[Day],
    most_tracks: int = 0,
) -> Statistics:
    """Return the figures of these cameras in `[start, end)`, which touches these days."""
    found = Statistics(
        start, end, cameras={one: Figures() for one in camera_ids}, days=[Figures() for _ in days]
    )
    values = _values(found, now, days)
    _add_stored(found, values)
    _add_missing(found, values)
    _add_recordings(found, values)
    _add_labels(found, values)
    if most_tracks:
        _add_tracks(found, values | {"most": most_tracks, "ranked": MAX_RANKED_TRACKS + 1})
    return found


def _values(found: Statistics, now: datetime, days: list[Day]) -> dict[str, Any]:
    earliest = found.start - LONGEST_SEGMENT
    odd = {hour_of(one.start) for one in days if hour_of(one.start) != one.start > found.start}
    return {
        "first_hour": hour_of(earliest),
        "edges": sorted(odd.union(_edges(earliest, found.start, found.end - LONGEST_SEGMENT, found.end))),
        "minute_edges": _edges(found.start, found.start, found.end, found.end),
        "cameras": list(found.cameras),
        "start": found.start,
        "end": found.end,
        "now": now,
        "day_starts": [one.start for one in days],
        "day_ends": [one.end for one in days],
        "earliest": earliest,
        "earliest_recording": found.start - LONGEST_RECORDING,
        "first_id": partition_floor(found.start),
        "last_id": partition_ceiling(found.end),
    }


def _edges(before: datetime, start: datetime, whole_to: datetime, end: datetime) -> list[datetime]:
    """Return the hours of `[before, end)` that are not whole between `start` and `whole_to`.

    >>> noon = datetime.fromisoformat("2026-01-31T12:00Z")
    >>> edges = _edges(noon, noon + HOUR / 2, noon + 4 * HOUR, noon + 4.5 * HOUR)
    >>> [f"{one:%H:%M}" for one in edges]
    ['12:00', '16:00']
    """
    hours = int((end - hour_of(before)) / HOUR) + 1
    every = (hour_of(before) + n * HOUR for n in range(hours))
    return [one for one in every if one < end and not (start <= one and one + HOUR <= whole_to)]


def _add_stored(found: Statistics, values: Mapping[str, Any]) -> None:
    for camera_id, day, count, size, recorded in _rows(STORED, values):
        for figures in found.of(camera_id, day):
            figures.segments += int(count)
            figures.stored_bytes += int(size)
            figures.recorded_s += recorded.total_seconds()


def _add_missing(found: Statistics, values: Mapping[str, Any]) -> None:
    """Add gaps: their time to each day that they touch, their number to the day they begin on."""
    for camera_id, day, cause, count, missing in _rows(MISSING, values):
        seconds = missing.total_seconds()
        for figures in found.of(camera_id, day):
            figures.gaps += count
            figures.gap_s += seconds
            figures.gap_s_by_cause[cause] = figures.gap_s_by_cause.get(cause, 0.0) + seconds
        if camera_id is not None:
            of_cause = found.causes.setdefault(cause, CauseFigures(cause))
            of_cause.gaps += count
            of_cause.gap_s += seconds


def _add_recordings(found: Statistics, values: Mapping[str, Any]) -> None:
    for camera_id, day, count, length in _rows(RECORDINGS, values):
        for figures in found.of(camera_id, day):
            figures.recordings += count
            figures.recordings_s += length.total_seconds()


def _add_labels(found: Statistics, values: Mapping[str, Any]) -> None:
    for label, sightings, minutes in _rows(SEEN, values):
        found.labels[label] = LabelFigures(label, int(sightings), int(minutes))


def _add_tracks(found: Statistics, values: Mapping[str, Any]) -> None:
    for ranked, *columns in _rows(TRACKS, values):
        found.has_all_tracks = ranked <= MAX_RANKED_TRACKS
        found.tracks.append(TrackFigures(*columns))


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
