"""From the picture to the ground: four points that were measured in metres make the rest of a plane known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from omma_engine.rules.polygon import Point

CORNERS = 4
_MOST_METRES = 100_000.0
_FLAT = 1e-6  # twice the area of a triangle that is none


@dataclass(frozen=True)
class GroundPlane:
    """Four points in parts of the picture, and where they are on the ground, in metres."""

    picture: tuple[Point, ...]
    metres: tuple[Point, ...]

    def on_ground(self, point: Point) -> Point | None:
        """Return where on the ground a point of the picture is; None for what lies beyond the horizon."""
        a, b, c, d, e, f, g, h = self._homography
        x, y = point
        depth = g * x + h * y + 1.0
        if depth * self._facing <= 1e-9:
            return None
        return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth

    @cached_property
    def _homography(self) -> tuple[float, ...]:
        """Return the eight numbers of the projection (the ninth is 1), from two equations a point."""
        rows: list[list[float]] = []
        for (x, y), (u, v) in zip(self.picture, self.metres, strict=True):
            rows.append([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u])
            rows.append([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v])
        return tuple(_solved(rows))

    @cached_property
    def _facing(self) -> float:
        """Return the sign that the depth of points before the camera has."""
        *_, g, h = self._homography
        x, y = self.picture[0]
        return math.copysign(1.0, g * x + h * y + 1.0)


def plane_problem(picture: Sequence[Point], metres: Sequence[Point]) -> str:
    """Say what is wrong with a calibration, or return nothing."""
    if len(picture) != CORNERS or len(metres) != CORNERS:
        return f"expected {CORNERS} points in the picture and {CORNERS} on the ground"
    if not all(math.isfinite(x) and math.isfinite(y) and 0 <= x <= 1 and 0 <= y <= 1 for x, y in picture):
        return "expected points in the picture of 0 to 1"
    if not all(abs(x) <= _MOST_METRES and abs(y) <= _MOST_METRES for x, y in metres):
        return f"expected points on the ground of at most {_MOST_METRES:g} m"
    for what, points in (("in the picture", picture), ("on the ground", metres)):
        if any(_is_flat(*three) for three in combinations(points, 3)):
            return f"three of the points {what} lie on one line"
    try:
        plane = GroundPlane(tuple(picture), tuple(metres))
        is_seen = all(plane.on_ground(point) is not None for point in picture)
    except ZeroDivisionError:
        is_seen = False
    return "" if is_seen else "the points in the picture are not in the order of those on the ground"


def encode_plane(plane: GroundPlane) -> dict[str, Any]:
    """Return the plane as JSON values."""
    return {
        "picture": [list(point) for point in plane.picture],
        "metres": [list(point) for point in plane.metres],
    }


def decode_plane(raw: Mapping[str, Any]) -> GroundPlane:
    """Return the plane that `encode_plane` wrote."""
    picture, metres = (tuple((float(x), float(y)) for x, y in raw[name]) for name in ("picture", "metres"))
    return GroundPlane(picture, metres)


def _is_flat(a: Point, b: Point, c: Point) -> bool:
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) < _FLAT


def _solved(rows: list[list[float]]) -> list[float]:
    """Return the solution of linear equations, each a row with its right side last (Gauss and Jordan)."""
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = rows[column][column]
        rows[column] = [value / scale for value in rows[column]]
        for index in range(size):
            if index != column and (factor := rows[index][column]):
                rows[index] = [
                    value - factor * own for value, own in zip(rows[index], rows[column], strict=True)
                ]
    return [row[-1] for row in rows]
