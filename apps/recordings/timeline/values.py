"""A timeline as plain values: what is asked for, and what is shown of each stream."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.core.days import Day, days_between
from apps.recordings.models import Recording
from apps.streams.models import Stream

MAX_RANGE = timedelta(days=31)
MAX_STREAMS = 64
MAX_RECORDINGS = 1000
MAX_SPANS = 20_000  # of each kind in one answer: a coarser resolution is used instead of more
_DEFAULT_SPANS = 1000  # across the range, where no resolution is asked for
_FINEST_S = 0.25  # clocks round and drift a little: neighbouring segments miss each other by less
_MINUTE_S = 60
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class TimelineRange:
    """`[start, end)` of some streams. `resolution_s` is what was asked for, None for a thousandth of it."""

    streams: tuple[Stream, ...]
    start: datetime
    end: datetime
    resolution_s: float | None = None
    zone: ZoneInfo = _UTC

    @property
    def days(self) -> list[Day]:
        """Return the days of the zone that the range touches, each whole."""
        return list(days_between(self.start, self.end, self.zone))

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    @property
    def joined_s(self) -> float:
        """Return the resolution used: as asked, and as coarse as it takes to keep the answer bounded."""
        asked = self.seconds / _DEFAULT_SPANS if self.resolution_s is None else self.resolution_s
        return max(asked, _FINEST_S, self.seconds * len(self.streams) / MAX_SPANS)

    @property
    def bucket_s(self) -> int:
        """Return how long a bucket of motion and labels is: whole minutes."""
        return _MINUTE_S * max(1, -(-int(self.joined_s) // _MINUTE_S))


@dataclass(frozen=True, slots=True)
class CoveredSpan:
    """Recorded, but for holes below the resolution: `recorded_s` of it is footage."""

    start: datetime
    end: datetime
    recorded_s: float


@dataclass(frozen=True, slots=True)
class GapSpan:
    """Explained holes of one cause, `count` of them with `gap_s` in all."""

    start: datetime
    end: datetime
    cause: str
    gap_s: float
    count: int


class Bucket(TypedDict):
    """What was seen in a stretch of whole minutes: motion 0 to 1, labels with how often."""

    start: str  # as the API prints times
    motion: float
    mean_motion: float
    labels: dict[str, int]


@dataclass(slots=True)
class StreamTimeline:
    """All of one stream."""

    stream: Stream
    covered: list[CoveredSpan] = field(default_factory=list)
    gaps: list[GapSpan] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    buckets: list[Bucket] = field(default_factory=list)

    @property
    def stream_id(self) -> UUID:
        return self.stream.pk

    @property
    def recorded_s(self) -> float:
        return round(sum(one.recorded_s for one in self.covered), 6)

    @property
    def gap_s(self) -> float:
        return round(sum(one.gap_s for one in self.gaps), 6)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Streams in the order asked for."""

    wanted: TimelineRange
    streams: list[StreamTimeline]
    has_all_recordings: bool
