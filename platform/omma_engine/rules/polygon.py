"""Polygons in parts of the picture: x to the right and y downwards, 0 to 1."""

import math
from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Polygon = tuple[Point, ...]

MAX_POINTS = 64


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Tell whether the point lies inside; on the edge counts as inside.

    Even-odd rule: a ray to the right crosses the outline an odd number of times.

    >>> contains([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)], (0.5, 0.5))
    True
    """
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in _edges(polygon):
        if _lies_on((ax, ay), (bx, by), point):
            return True
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            inside = not inside
    return inside


def polygon_problem(points: Sequence[Point]) -> str:
    """Say what is wrong with a polygon, or return nothing.

    It needs at least three points inside the picture, an area, and an outline that does not cross itself.
    """
    if len(points) < 3:
        return f"expected at least 3 points, got {len(points)}"
    if len(points) > MAX_POINTS:
        return f"expected at most {MAX_POINTS} points, got {len(points)}"
    for number, (x, y) in enumerate(points, start=1):
        if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= 1 and 0 <= y <= 1):
            return f"point {number}: expected x and y of 0 to 1, got ({x:g}, {y:g})"
    if len(set(points)) != len(points):
        return "expected different points, got one twice"
    if _crosses_itself(points):
        return "expected an outline that does not cross itself"
    if abs(_signed_area(points)) < 1e-6:
        return "expected an area, got points on a line"
    return ""


def segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell whether the segments from `a` to `b` and from `c` to `d` have a point in common."""
    if any((_lies_on(a, b, c), _lies_on(a, b, d), _lies_on(c, d, a), _lies_on(c, d, b))):
        return True
    return (_side(a, b, c) > 0) != (_side(a, b, d) > 0) and (_side(c, d, a) > 0) != (_side(c, d, b) > 0)


def side_of(a: Point, b: Point, point: Point) -> float:
    """Return how far a point is from the line through `a` and `b`: above 0 to its right, seen from `a`."""
    length = math.dist(a, b)
    return _side(a, b, point) / length if length else 0.0


def _edges(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    for index, point in enumerate(points):
        yield point, points[(index + 1) % len(points)]


def _crosses_itself(points: Sequence[Point]) -> bool:
    edges = list(_edges(points))
    for i, (a, b) in enumerate(edges):
        for j in range(i + 1, len(edges)):
            c, d = edges[j]
            if _are_neighbours(i, j, len(edges)):
                if _turns_back(a, b, c, d):
                    return True
            elif segments_meet(a, b, c, d):
                return True
    return False


def _are_neighbours(i: int, j: int, count: int) -> bool:
    return j == i + 1 or (i == 0 and j == count - 1)


def _turns_back(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell whether two edges that share a point lie over each other."""
    far_a, shared, far_b = (a, b, d) if b == c else (b, a, c)
    return _lies_on(shared, far_a, far_b) or _lies_on(shared, far_b, far_a)


def _side(a: Point, b: Point, point: Point) -> float:
    """Return twice the signed area of the triangle: above zero on one side of the line, 0 on it."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


def _lies_on(a: Point, b: Point, point: Point) -> bool:
    if abs(_side(a, b, point)) > 1e-12:
        return False
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def _signed_area(points: Sequence[Point]) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(points)) / 2
