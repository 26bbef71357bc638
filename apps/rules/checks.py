"""What makes a rule's values good; each refusal names its field."""

import math
from collections.abc import Iterable

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError
from omma_engine.rules import Point, polygon_problem

MAX_LABELS = 50
MAX_LABEL_LENGTH = 64
MAX_NAME_LENGTH = 120
MAX_ROLL_S = 300
MAX_DURATION_S = 3600.0
MAX_COOLDOWN_S = 86_400.0


def checked_name(value: str) -> str:
    """Return a name without spaces around it."""
    name = value.strip()
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInputError(f"Expected a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    return name


def checked_labels(value: object) -> list[str]:
    """Return at least one label, each once, in small letters."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise InvalidInputError("Expected a list of labels.", field="labels")
    labels = sorted({one.strip().lower() for one in value} - {""})
    if not labels:
        raise InvalidInputError("Choose at least one label.", field="labels")
    if len(labels) > MAX_LABELS or any(len(one) > MAX_LABEL_LENGTH or "\0" in one for one in labels):
        message = f"Expected at most {MAX_LABELS} labels of {MAX_LABEL_LENGTH} characters at most."
        raise InvalidInputError(message, field="labels")
    return labels


def checked_polygon(value: object) -> list[list[float]]:
    """Return a polygon in parts of the picture: none, or at least three points and no crossing outline."""
    if not isinstance(value, list | tuple):
        raise InvalidInputError("Expected a list of points.", field="polygon")
    if not value:
        return []
    points = [_checked_point(point, number) for number, point in enumerate(value, start=1)]
    problem = polygon_problem(points)
    if problem:
        raise InvalidInputError(f"The zone is not usable: {problem}.", field="polygon")
    return [[x, y] for x, y in points]


def checked_number(value: float, field: str, highest: float) -> float:
    """Return a number of 0 to `highest`."""
    if not (math.isfinite(value) and 0 <= value <= highest):
        raise InvalidInputError(f"Expected 0 to {highest:g}.", field=field)
    return value


def checked_roll(value: int | None, field: str) -> int | None:
    """Return seconds before or after, or None for the stream's own."""
    if value is not None and not 0 <= value <= MAX_ROLL_S:
        raise InvalidInputError(f"Expected 0 to {MAX_ROLL_S} seconds, or nothing.", field=field)
    return value


def checked_cameras(value: Iterable[Camera], account: Account, *, all_cameras: bool) -> list[Camera]:
    """Return the account's cameras that a rule is about: none where it is about all of them."""
    cameras = sorted(set(value), key=lambda camera: camera.pk)
    if any(camera.account_id != account.pk for camera in cameras):
        raise InvalidInputError("There is no such camera.", field="cameras")
    if all_cameras:
        return []
    if not cameras:
        raise InvalidInputError("Choose at least one camera, or all of them.", field="cameras")
    return cameras


def _checked_point(value: object, number: int) -> Point:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_number, value)):
        raise InvalidInputError(f"Point {number}: expected [x, y].", field="polygon")
    return float(value[0]), float(value[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
