"""Parts of the picture that an analytic looks at: polygons in parts of the picture or in its pixels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from omma_engine.rules.polygon import Point, Polygon, polygon_problem

PIXELS = "pixels"


@dataclass(frozen=True, slots=True)
class Region:
    """A polygon; in pixels of the stream's own picture where `is_pixels`, else in parts of it, 0 to 1."""

    points: Polygon
    name: str = ""
    is_pixels: bool = False

    def in_parts(self, size_wh: tuple[int, int]) -> Polygon:
        """Return the polygon in parts of a picture of this size."""
        if not self.is_pixels:
            return self.points
        width, height = size_wh
        return tuple((x / width, y / height) for x, y in self.points)

    def problem(self, size_wh: tuple[int, int]) -> str:
        """Say why it is no region of a picture of this size, or return nothing."""
        width, height = size_wh
        for number, (x, y) in enumerate(self.points, start=1):
            if self.is_pixels and not (0 <= x <= width and 0 <= y <= height):
                return f"point {number} ({x:g}, {y:g}) lies outside the picture of {width} x {height} pixels"
        return polygon_problem(self.in_parts(size_wh))


def named(regions: Iterable[Region]) -> list[str]:
    """Return a name for each region: its own, else its number, counted from 1."""
    return [region.name or str(number) for number, region in enumerate(regions, start=1)]


def rectangle(x: float, y: float, width: float, height: float) -> Polygon:
    """Return the corners of a rectangle."""
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def encode_region(region: Region) -> Any:
    """Return the region as JSON values: a bare list of points where nothing else is to be said."""
    points = [list(point) for point in region.points]
    if not (region.name or region.is_pixels):
        return points
    marks = {"name": region.name} if region.name else {}
    return {"points": points, **marks, **({"unit": PIXELS} if region.is_pixels else {})}


def decode_region(raw: Any) -> Region:
    """Return the region that `encode_region` wrote."""
    if isinstance(raw, Mapping):
        return Region(_points(raw["points"]), str(raw.get("name", "")), raw.get("unit") == PIXELS)
    return Region(_points(raw))


def _points(raw: Iterable[Iterable[float]]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in raw)
