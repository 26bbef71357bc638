"""What makes an analytic's values good; each refusal names its field."""

import math
from collections.abc import Mapping
from typing import Any

from apps.catalog import parameters
from apps.catalog.models import ModelVersion
from apps.core.exceptions import InvalidInputError
from omma_engine.rules import Point, polygon_problem

MAX_REGIONS = 16
MAX_RATE_FPS = 60.0


def checked_rate(value: float) -> float:
    """Return how many pictures a second are analysed."""
    if not (math.isfinite(value) and 0 < value <= MAX_RATE_FPS):
        raise InvalidInputError(
            f"Expected more than 0 and at most {MAX_RATE_FPS:g} a second.", field="rate_fps"
        )
    return value


def checked_confidence(value: float) -> float:
    """Return a confidence of 0 to 1."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise InvalidInputError("Expected a confidence of 0 to 1.", field="min_confidence")
    return value


def checked_labels(value: list[str], version: ModelVersion) -> list[str]:
    """Return labels that the model knows, each once; none means all."""
    known = set(version.labels)
    unknown = sorted(set(value) - known)
    if unknown:
        raise InvalidInputError(
            f"The model has no label {unknown[0]!r}; it has {', '.join(sorted(known)[:20])}.", field="labels"
        )
    return sorted(set(value))


def checked_regions(value: object) -> list[list[list[float]]]:
    """Return polygons in parts of the picture: at least three points, no crossing outline."""
    if not isinstance(value, list) or len(value) > MAX_REGIONS:
        raise InvalidInputError(f"Expected a list of at most {MAX_REGIONS} polygons.", field="regions")
    return [_checked_polygon(polygon, number) for number, polygon in enumerate(value, start=1)]


def checked_parameters(value: Mapping[str, Any], version: ModelVersion) -> dict[str, Any]:
    """Return settings of the model's detector."""
    return parameters.checked_parameters(value, version.builtin)


def _checked_polygon(polygon: object, number: int) -> list[list[float]]:
    points = _points(polygon, number)
    problem = polygon_problem(points)
    if problem:
        raise InvalidInputError(f"Polygon {number}: {problem}.", field="regions")
    return [[x, y] for x, y in points]


def _points(polygon: object, number: int) -> list[Point]:
    if not isinstance(polygon, list):
        raise InvalidInputError(f"Polygon {number}: expected a list of points.", field="regions")
    points = []
    for point in polygon:
        if not isinstance(point, list | tuple) or len(point) != 2 or not all(map(_is_number, point)):
            raise InvalidInputError(f"Polygon {number}: expected points [x, y].", field="regions")
        points.append((float(point[0]), float(point[1])))
    return points


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
