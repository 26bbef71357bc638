"""The life of tracks: numbers, opening, updates, closing, the path of the foot and the best moment."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from omma_engine.ids import uuid7
from omma_engine.rules.polygon import Point
from omma_engine.track.base import NO_TRACK, TrackedBox
from omma_engine.track.course import Course

UPDATE_EVERY_US = 2_000_000
_PATH_EVERY_US = 250_000
_PATH_POINTS = 400  # then every second one goes
_BETTER_BY = 1.05  # a best moment must be so much better, so that crops are not made for every frame

NormBox = tuple[float, float, float, float]


class TrackPhase(StrEnum):
    """Where a track stands."""

    OPEN = "track_open"
    UPDATE = "track_update"
    CLOSE = "track_close"


@dataclass(slots=True)
class LiveTrack:
    """One object so far. `best_box` is in parts of the picture, `path` is the foot's `[ms, x, y]`.

    Sizes are shares of the picture's area; `zones` are those it stood in, in that order.
    """

    track_id: UUID
    number: int
    label: str
    start_us: int
    last_us: int
    confidence: float
    best_us: int
    best_box: NormBox
    best_score: float
    course: Course
    size_min: float
    size_max: float
    zones: list[str] = field(default_factory=list)
    hits: int = 1
    path: list[list[float]] = field(default_factory=list)
    said_us: int = 0
    has_new_best: bool = True


@dataclass(frozen=True, slots=True)
class TrackChange:
    """What happened to a track in this frame."""

    phase: TrackPhase
    track: LiveTrack


@dataclass(frozen=True, slots=True)
class NumberedBox:
    """A box of this frame, in parts of the picture, with its track where it has one."""

    box: TrackedBox
    box_norm: NormBox
    track: LiveTrack | None


class TrackLives:
    """Hands out numbers from `first_number` on, and says what begins and ends. Used by one thread."""

    def __init__(
        self,
        *,
        first_number: int,
        lost_after_us: int,
        on_ground: Callable[[Point], Point | None] | None = None,
    ) -> None:
        """Begin; `on_ground` says where on the ground, in metres, a point of the picture is."""
        self.lost_after_us = lost_after_us
        self._next_number = first_number
        self._on_ground = on_ground
        self._live: dict[int, LiveTrack] = {}

    @property
    def live(self) -> Sequence[LiveTrack]:
        """The tracks that are not over."""
        return list(self._live.values())

    def observe(
        self, boxes: Sequence[TrackedBox], *, at_us: int, size_wh: tuple[int, int]
    ) -> tuple[list[NumberedBox], list[TrackChange]]:
        """Take one frame's boxes, in pixels of that size; return them numbered, and what changed."""
        numbered = [self._number(box, at_us, size_wh) for box in boxes]
        return numbered, [*self._changes(at_us)]

    def finish(self) -> list[TrackChange]:
        """Close every track: there will be no more frames."""
        changes = [TrackChange(TrackPhase.CLOSE, track) for track in self._live.values()]
        self._live.clear()
        return changes

    def _number(self, box: TrackedBox, at_us: int, size_wh: tuple[int, int]) -> NumberedBox:
        box_norm = normalised(box.box_xyxy, size_wh)
        if box.key == NO_TRACK:
            return NumberedBox(box, box_norm, None)
        track = self._live.get(box.key)
        if track is None:
            track = self._live[box.key] = self._open(box, box_norm, at_us)
        else:
            self._extend(track, box, box_norm, at_us)
        return NumberedBox(box, box_norm, track)

    def _open(self, box: TrackedBox, box_norm: NormBox, at_us: int) -> LiveTrack:
        number, self._next_number = self._next_number, self._next_number + 1
        size = area(box_norm)
        return LiveTrack(
            track_id=uuid7(at_us // 1000),
            number=number,
            label=box.label,
            start_us=at_us,
            last_us=at_us,
            confidence=box.confidence,
            best_us=at_us,
            best_box=box_norm,
            best_score=moment_score(box.confidence, box_norm),
            course=Course(at_us, box_norm, self._ground(box_norm)),
            size_min=size,
            size_max=size,
            path=[_path_point(0, box_norm)],
        )

    def _extend(self, track: LiveTrack, box: TrackedBox, box_norm: NormBox, at_us: int) -> None:
        if at_us > track.last_us:
            track.course.note(at_us, box_norm, self._ground(box_norm))
        size = area(box_norm)
        track.size_min, track.size_max = min(size, track.size_min), max(size, track.size_max)
        _extend(track, box, box_norm, at_us)

    def _ground(self, box_norm: NormBox) -> Point | None:
        return self._on_ground(foot_point(box_norm)) if self._on_ground is not None else None

    def _changes(self, at_us: int) -> Iterator[TrackChange]:
        for key, track in list(self._live.items()):
            if at_us - track.last_us > self.lost_after_us:
                del self._live[key]
                yield TrackChange(TrackPhase.CLOSE, track)
            elif track.said_us == 0:
                track.said_us = at_us
                yield TrackChange(TrackPhase.OPEN, track)
            elif at_us - track.said_us >= UPDATE_EVERY_US and track.last_us > track.said_us:
                track.said_us = at_us
                yield TrackChange(TrackPhase.UPDATE, track)


def normalised(box_xyxy: Sequence[float], size_wh: tuple[int, int]) -> NormBox:
    """Return a box in pixels as parts of the picture, 0 to 1, with five digits."""
    width, height = size_wh
    x1, y1, x2, y2 = box_xyxy
    parts = (x1 / width, y1 / height, x2 / width, y2 / height)
    left, top, right, bottom = (round(min(1.0, max(0.0, part)), 5) for part in parts)
    return left, top, right, bottom


def foot_point(box_norm: NormBox) -> Point:
    """Return the middle of a box's lower edge: where a thing stands."""
    x1, _, x2, y2 = box_norm
    return (x1 + x2) / 2, y2


def area(box_norm: NormBox) -> float:
    """Return a box's share of the picture, with six digits."""
    x1, y1, x2, y2 = box_norm
    return round(max(0.0, (x2 - x1) * (y2 - y1)), 6)


def moment_score(confidence: float, box_norm: NormBox) -> float:
    """Say how good a moment is to be shown: sure, large, and not cut off by the picture's edge."""
    x1, y1, x2, y2 = box_norm
    is_whole = x1 > 0.005 and y1 > 0.005 and x2 < 0.995 and y2 < 0.995
    return float(confidence * (0.2 + area(box_norm) ** 0.5) * (1.0 if is_whole else 0.6))


def _extend(track: LiveTrack, box: TrackedBox, box_norm: NormBox, at_us: int) -> None:
    track.hits += at_us > track.last_us
    track.last_us = at_us
    track.confidence = max(track.confidence, box.confidence)
    score = moment_score(box.confidence, box_norm)
    if score > track.best_score * _BETTER_BY:
        track.best_score, track.best_us, track.best_box, track.has_new_best = score, at_us, box_norm, True
    offset_ms = (at_us - track.start_us) // 1000
    if offset_ms - track.path[-1][0] >= _PATH_EVERY_US / 1000:
        track.path.append(_path_point(offset_ms, box_norm))
        if len(track.path) > _PATH_POINTS:
            del track.path[1:-1:2]


def _path_point(offset_ms: int, box_norm: NormBox) -> list[float]:
    x, y = foot_point(box_norm)
    return [offset_ms, round(x, 4), round(y, 4)]
