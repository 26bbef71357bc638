"""What makes an analytic's values good; each refusal names its field."""

import math
from collections.abc import Mapping
from typing import Any

from apps.catalog import parameters
from apps.catalog.models import ModelVersion
from apps.core.exceptions import InvalidInputError
from apps.inference.models import AnalyticKind
from omma_engine.inference.counting import counting_problem
from omma_engine.rules import plane_problem

MAX_RATE_FPS = 60.0
_PEOPLE = ("person", "people", "human", "pedestrian")  # what models call what is counted, the likeliest first


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


def checked_labels(value: object, version: ModelVersion) -> list[str]:
    """Return labels that the model knows, each once; none means all."""
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise InvalidInputError("Expected a list of labels.", field="labels")
    known = set(version.labels)
    unknown = sorted(set(value) - known)
    if unknown:
        raise InvalidInputError(
            f"The model has no label {unknown[0]!r}; it has {', '.join(sorted(known)[:20])}.", field="labels"
        )
    return sorted(set(value))


def checked_parameters(value: object, version: ModelVersion) -> dict[str, Any]:
    """Return settings of the model's detector."""
    if not isinstance(value, Mapping):
        raise InvalidInputError("Expected an object.", field="parameters")
    return parameters.checked_parameters(value, version.builtin)


def checked_kind(value: str) -> str:
    """Return what the analytic is for."""
    if value not in AnalyticKind.values:
        raise InvalidInputError(f"Expected one of {', '.join(AnalyticKind.values)}.", field="kind")
    return value


def counted_labels(labels: list[str], version: ModelVersion) -> list[str]:
    """Return what a counting analytic counts: the labels chosen, else what the model calls people."""
    if labels:
        return labels
    found = next((label for label in _PEOPLE if label in version.labels), None)
    if found is None:
        raise InvalidInputError("The model has no label for people; choose what is counted.", field="labels")
    return [found]


def checked_counting(value: object, kind: str) -> dict[str, Any]:
    """Return how a counting analytic counts; nothing where it does not count."""
    if not isinstance(value, Mapping):
        raise InvalidInputError("Expected an object.", field="counting")
    if value and kind != AnalyticKind.PEOPLE_COUNT:
        raise InvalidInputError("Only an analytic that counts has this.", field="counting")
    problem = counting_problem(value)
    if problem:
        raise InvalidInputError(f"{problem[0].upper()}{problem[1:]}.", field="counting")
    return dict(value)


def checked_plane(value: object) -> dict[str, Any]:
    """Return four points of the picture and where they are on the ground, or nothing."""
    if not isinstance(value, Mapping) or not set(value) <= {"picture", "metres"}:
        raise InvalidInputError("Expected picture and metres, four points each.", field="plane")
    if not value:
        return {}
    picture, metres = (_points(value.get(name)) for name in ("picture", "metres"))
    problem = plane_problem(picture, metres)
    if problem:
        raise InvalidInputError(f"{problem[0].upper()}{problem[1:]}.", field="plane")
    return {"picture": [list(point) for point in picture], "metres": [list(point) for point in metres]}


def checked_position(value: int) -> int:
    """Return a place among the stream's analytics."""
    if isinstance(value, bool) or not 0 <= value <= 32_767:
        raise InvalidInputError("Expected 0 to 32767.", field="order")
    return value


def checked_label(value: str) -> str:
    """Return what the analytic is called by its maker."""
    label = value.strip()
    if len(label) > 128 or "\0" in label:
        raise InvalidInputError("Expected at most 128 characters.", field="label")
    return label


def _points(value: object) -> list[tuple[float, float]]:
    points = value if isinstance(value, list | tuple) else []
    good = [point for point in points if isinstance(point, list | tuple) and len(point) == 2]
    if len(good) != len(points) or not all(_is_number(side) for point in good for side in point):
        raise InvalidInputError("Expected picture and metres, four points [x, y] each.", field="plane")
    return [(float(x), float(y)) for x, y in good]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
