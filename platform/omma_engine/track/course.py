"""How an object moves: how long it has stood still, and how fast it is on the ground."""

import math
from collections import deque

from omma_engine.rules.polygon import Point

STILL_SHARE = 0.25  # of a box's side: what detectors let a standing thing tremble by
_SPEED_OVER_US = 2_000_000  # speeds are means over so long, for boxes tremble
_SPEED_FROM_US = 600_000

NormBox = tuple[float, float, float, float]


class Course:
    """The motion of one track. `speed_ms` is None until enough was seen, or where no plane is known."""

    def __init__(self, at_us: int, box_norm: NormBox, ground: Point | None = None) -> None:
        self.still_since_us = at_us
        self.speed_ms: float | None = None
        self.top_speed_ms: float | None = None
        self._anchor = _centre(box_norm)
        self._steps: deque[tuple[int, Point]] = deque()
        self.note(at_us, box_norm, ground)

    def note(self, at_us: int, box_norm: NormBox, ground: Point | None) -> None:
        """Take the track's next box, and where on the ground it stands."""
        if self._has_left_anchor(box_norm):
            self.still_since_us, self._anchor = at_us, _centre(box_norm)
        if ground is not None:
            self._measure(at_us, ground)

    def still_s(self, at_us: int) -> float:
        """Return for how long it has stood still."""
        return max(0.0, (at_us - self.still_since_us) / 1e6)

    def _has_left_anchor(self, box_norm: NormBox) -> bool:
        x1, y1, x2, y2 = box_norm
        (x, y), (anchor_x, anchor_y) = _centre(box_norm), self._anchor
        return abs(x - anchor_x) > STILL_SHARE * (x2 - x1) or abs(y - anchor_y) > STILL_SHARE * (y2 - y1)

    def _measure(self, at_us: int, ground: Point) -> None:
        self._steps.append((at_us, ground))
        while at_us - self._steps[0][0] > _SPEED_OVER_US:
            self._steps.popleft()
        then_us, then = self._steps[0]
        if at_us - then_us >= _SPEED_FROM_US:
            self.speed_ms = math.dist(ground, then) * 1e6 / (at_us - then_us)
            self.top_speed_ms = max(self.speed_ms, self.top_speed_ms or 0.0)


def _centre(box_norm: NormBox) -> Point:
    x1, y1, x2, y2 = box_norm
    return (x1 + x2) / 2, (y1 + y2) / 2
