"""Parts of the picture as people give them: polygons and rectangles, in parts, percent or pixels.

A region is a list of points in parts of the picture (0 to 1), or an object with `points`, or with `roi`
(`x`, `y`, `width`, `height`); `unit` is `parts` (the default), `percent` or `pixels`, `name` a name. Pixels
are those of the stream's own picture, and stay pixels; percents become parts.
"""

import math
from collections.abc import Mapping
from typing import Any

from apps.core.exceptions import InvalidInputError
from omma_engine.rules import Point, Region, decode_region, encode_region, rectangle

MAX_REGIONS = 16
MAX_NAME_LENGTH = 64
_UNITS = {"parts": 1.0, "percent": 100.0, "pixels": 1.0}
_KNOWN = {"points", "roi", "unit", "name"}
_SIDES = ("x", "y", "width", "height")


def checked_regions(value: object, *, size_wh: tuple[int, int], field: str = "regions") -> list[Any]:
    """Return regions as they are stored. `size_wh` is the stream's picture, zeros while it is not known."""
    if not isinstance(value, list) or len(value) > MAX_REGIONS:
        raise InvalidInputError(f"Expected a list of at most {MAX_REGIONS} polygons.", field=field)
    regions = [_region(raw, _Place(field, number)) for number, raw in enumerate(value, start=1)]
    names = [region.name for region in regions if region.name]
    if len(set(names)) != len(names):
        raise InvalidInputError("Two regions have one name.", field=field)
    for number, region in enumerate(regions, start=1):
        problem = _problem(region, size_wh)
        if problem:
            raise _Place(field, number).refuse(problem)
    return [encode_region(region) for region in regions]


def checked_mask(value: object, *, size_wh: tuple[int, int]) -> list[Any]:
    """Return a motion mask as it is stored: bare polygons in parts of the picture."""
    field = "motion_mask"
    regions = stored_regions(checked_regions(value, size_wh=size_wh, field=field))
    if any(region.is_pixels for region in regions) and not all(size_wh):
        raise InvalidInputError("The picture's size is not known yet; use parts or percent.", field=field)
    return [[list(point) for point in region.in_parts(size_wh)] for region in regions]


def stored_regions(value: list[Any]) -> tuple[Region, ...]:
    """Return what `checked_regions` returned, as the engine takes it."""
    return tuple(decode_region(raw) for raw in value)


class _Place:
    """Where in what was sent something is wrong."""

    def __init__(self, field: str, number: int) -> None:
        self._field, self._number = field, number

    def refuse(self, problem: str) -> InvalidInputError:
        return InvalidInputError(f"Polygon {self._number}: {problem}.", field=self._field)


def _problem(region: Region, size_wh: tuple[int, int]) -> str:
    if region.is_pixels and not all(size_wh):  # the host looks again when it sees the first picture
        largest = max((max(x, y) for x, y in region.points), default=0.0) or 1.0
        is_inside = all(x >= 0 and y >= 0 for x, y in region.points)
        return region.problem((math.ceil(largest), math.ceil(largest))) if is_inside else "points above 0"
    return region.problem(size_wh)


def _region(raw: object, place: _Place) -> Region:
    if isinstance(raw, list):
        return Region(_points(raw, place))
    if not isinstance(raw, Mapping) or not set(raw) <= _KNOWN or ("points" in raw) == ("roi" in raw):
        raise place.refuse("expected a list of points, or an object with points or roi")
    unit = raw.get("unit", "parts")
    if not isinstance(unit, str) or unit not in _UNITS:
        raise place.refuse(f"expected unit as one of {', '.join(_UNITS)}")
    points = _points(raw["points"], place) if "points" in raw else _corners(raw["roi"], place)
    scale = _UNITS[unit]
    name = _name(raw.get("name", ""), place)
    return Region(tuple((x / scale, y / scale) for x, y in points), name, is_pixels=unit == "pixels")


def _points(raw: object, place: _Place) -> tuple[Point, ...]:
    if not isinstance(raw, list):
        raise place.refuse("expected a list of points")
    points: list[Point] = []
    for point in raw:
        if not isinstance(point, list | tuple) or len(point) != 2 or not all(map(_is_number, point)):
            raise place.refuse("expected points [x, y]")
        points.append((float(point[0]), float(point[1])))
    return tuple(points)


def _corners(raw: object, place: _Place) -> tuple[Point, ...]:
    if not isinstance(raw, Mapping) or set(raw) != set(_SIDES) or not all(map(_is_number, raw.values())):
        raise place.refuse("expected roi with x, y, width and height")
    x, y, width, height = (float(raw[side]) for side in _SIDES)
    if width <= 0 or height <= 0:
        raise place.refuse("expected a width and a height above 0")
    return rectangle(x, y, width, height)


def _name(raw: object, place: _Place) -> str:
    if not isinstance(raw, str) or len(raw.strip()) > MAX_NAME_LENGTH or not raw.isprintable():
        raise place.refuse(f"expected a name of at most {MAX_NAME_LENGTH} characters")
    return raw.strip()


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and abs(value) < 1e6
