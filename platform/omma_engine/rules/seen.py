"""What a frame shows, as rules take it."""

from dataclasses import dataclass

from omma_engine.rules.polygon import Point

NO_TRACK = -1  # a match that is about no single track


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A tracked box in one frame: `box_norm` is `x1 y1 x2 y2` in parts of the picture, `stands_at` its place.

    Several boxes of one frame may carry the same track (the areas of one motion); one of them is enough.
    `speed_kmh` is None where it is not known.
    """

    track: int
    label: str
    confidence: float
    box_norm: tuple[float, float, float, float]
    stands_at: Point
    still_s: float = 0.0
    speed_kmh: float | None = None
