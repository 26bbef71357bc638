"""Which footage goes: pure decisions over rows, a batch at a time, so that memory does not grow.

Decided over what is known to exist, so an empty index or a volume that is away deletes nothing. Deleting is
somebody else's, and a separate step. Never chosen: what a held or growing recording touches.

A segment has the best class of what it touches: held, else event (somebody or some rule recorded it), else
motion (its minute moved), else continuous. It is kept for the longest time of all that it is. Sizes and room
are met by the oldest footage, whatever its class. Times are UTC microseconds, ranges half-open.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from omma_engine.spans import Span, merged


class Reason(StrEnum):
    """Why a segment goes."""

    TRANSIENT = "transient"  # recorded in case of an event, and none came
    AGE = "age"
    SIZE = "size"
    FREE_SPACE = "free_space"


class FootageClass(StrEnum):
    """What a segment is worth, the least first."""

    CONTINUOUS = "continuous"
    MOTION = "motion"
    EVENT = "event"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Footage:
    """One closed segment: `[start_us, end_us)`, with `size_bytes` on its volume."""

    segment_id: UUID
    stream_id: UUID
    start_us: int
    end_us: int
    size_bytes: int
    is_transient: bool = False


class Spans:
    """Stretches of time, merged where they touch."""

    def __init__(self, ranges: Iterable[Span] = ()) -> None:
        self.ranges: Sequence[Span] = merged(ranges)

    def touch(self, start_us: int, end_us: int) -> bool:
        """Tell whether something of `[start_us, end_us)` is in them."""
        index = bisect_right(self.ranges, (end_us, -1)) - 1
        return index >= 0 and self.ranges[index][1] > start_us

    def __or__(self, other: "Spans") -> "Spans":
        return Spans((*self.ranges, *other.ranges))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of one stream is worth more than footage that just runs on.

    `held` is what held and growing recordings cover, `events` what the others do, of whatever cause;
    `motion` is where something moved, with the recordings that were made of nothing else.
    """

    held: Spans = field(default_factory=Spans)
    events: Spans = field(default_factory=Spans)
    motion: Spans = field(default_factory=Spans)

    def class_of(self, one: Footage) -> FootageClass:
        """Return what a segment is worth."""
        if self.held.touch(one.start_us, one.end_us):
            return FootageClass.HELD
        if self.events.touch(one.start_us, one.end_us):
            return FootageClass.EVENT
        if self.motion.touch(one.start_us, one.end_us):
            return FootageClass.MOTION
        return FootageClass.CONTINUOUS


@dataclass(frozen=True, slots=True)
class Ages:
    """How long footage of each class is kept; a better class never shorter than a lesser one."""

    continuous_us: int
    motion_us: int
    event_us: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "motion_us", max(self.motion_us, self.continuous_us))
        object.__setattr__(self, "event_us", max(self.event_us, self.motion_us))

    @property
    def looks_at_motion(self) -> bool:
        return self.motion_us > self.continuous_us

    @property
    def looks_at_events(self) -> bool:
        return self.event_us > self.continuous_us

    def of(self, footage_class: FootageClass) -> int | None:
        """Return how long footage of a class is kept; None: for ever."""
        match footage_class:
            case FootageClass.HELD:
                return None
            case FootageClass.EVENT:
                return self.event_us
            case FootageClass.MOTION:
                return self.motion_us
            case FootageClass.CONTINUOUS:
                return self.continuous_us


def is_too_old(one: Footage, wanted: Wanted, ages: Ages, *, now_us: int) -> bool:
    """Tell whether a segment ended longer ago than its class is kept."""
    kept_us = ages.of(wanted.class_of(one))
    return kept_us is not None and now_us - one.end_us > kept_us


def is_unwanted(one: Footage, wanted: Wanted, *, keep_us: int, now_us: int) -> bool:
    """Tell whether transient footage has waited `keep_us` for an event, and no recording touches it."""
    is_recorded = (wanted.held | wanted.events).touch(one.start_us, one.end_us)
    return one.is_transient and not is_recorded and now_us - one.end_us > keep_us


def oldest_until(
    oldest_first: Iterable[Footage],
    missing_bytes: int,
    is_protected: Callable[[Footage], bool],
    *,
    missing_files: int = 0,
) -> Iterator[Footage]:
    """Yield the oldest footage that may go until `missing_bytes` and `missing_files` of it are gone."""
    if missing_bytes <= 0 and missing_files <= 0:
        return
    for one in oldest_first:
        if is_protected(one):
            continue
        yield one
        missing_bytes -= one.size_bytes
        missing_files -= 1
        if missing_bytes <= 0 and missing_files <= 0:
            return


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What room is decided over: None where a volume has no such limit.

    `minute_bytes` and `minute_files` are what its cameras write a minute, all together.
    """

    min_free_bytes: int
    minute_bytes: int
    minute_files: int = 0
    free_bytes: int | None = None
    total_bytes: int | None = None
    free_files: int | None = None
    quota_bytes: int | None = None
    used_bytes: int = 0


RESERVE_MINUTES = 5
LEAST_FREE_FILES = 128


def missing_room(facts: RoomFacts) -> tuple[int, int]:
    """Return how many bytes and how many files must go, so that five minutes of all cameras fit.

    Neither the reserve nor the least free space takes more than half of the disk or quota, whatever is asked
    for: a limit that cannot be met is no reason to delete everything.
    """
    reserve = RESERVE_MINUTES * facts.minute_bytes
    missing = 0
    if facts.free_bytes is not None:
        target = facts.min_free_bytes + reserve
        if facts.total_bytes is not None:
            target = min(target, facts.total_bytes // 2)
        missing = target - facts.free_bytes
    if facts.quota_bytes is not None:
        missing = max(missing, facts.used_bytes + min(reserve, facts.quota_bytes // 2) - facts.quota_bytes)
    missing_files = 0
    if facts.free_files is not None:
        missing_files = LEAST_FREE_FILES + RESERVE_MINUTES * facts.minute_files - facts.free_files
    return max(0, missing), max(0, missing_files)
