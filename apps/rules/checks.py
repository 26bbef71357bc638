"""What makes a rule's values good; each refusal names its field."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError
from omma_engine.rules import ConditionKind, Direction, Point, polygon_problem

MAX_LABELS = 50
MAX_LABEL_LENGTH = 64
MAX_NAME_LENGTH = 120
MAX_ROLL_S = 300
MAX_DURATION_S = 3600.0
MAX_COOLDOWN_S = 86_400.0
MAX_CONDITION_S = 86_400.0
MAX_COUNT = 10_000
MAX_SPEED_KMH = 1000.0
_SHORTEST_LINE = 0.02  # of the picture
_MOTION = "motion"


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


def checked_condition(value: object) -> dict[str, Any]:
    """Return what must hold besides, as it is stored; nothing for nothing."""
    if not isinstance(value, Mapping):
        raise _bad_condition("Expected an object")
    if not value:
        return {}
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in set(ConditionKind):
        raise _bad_condition(f"Expected kind as one of {', '.join(ConditionKind)}")
    rest = {name: part for name, part in value.items() if name != "kind"}
    match ConditionKind(kind):
        case ConditionKind.LINE:
            return {"kind": kind, **_checked_line(rest)}
        case ConditionKind.DWELL | ConditionKind.STATIONARY:
            _only(rest, {"seconds"})
            return {"kind": kind, "seconds": _above_zero(rest.get("seconds"), "seconds", MAX_CONDITION_S)}
        case ConditionKind.COUNT:
            return {"kind": kind, **_checked_bounds(rest, "at_least", "at_most", MAX_COUNT, is_whole=True)}
        case ConditionKind.SPEED:
            return {"kind": kind, **_checked_bounds(rest, "at_least_kmh", "at_most_kmh", MAX_SPEED_KMH)}


def refuse_misfits(condition: Mapping[str, Any], *, labels: list[str], min_duration_s: float) -> None:
    """Refuse what is good by itself and makes no sense together."""
    if not condition:
        return
    if _MOTION in labels:
        message = "Motion is no object that could be followed or counted; choose other labels."
        raise InvalidInputError(message, field="labels")
    if condition["kind"] == ConditionKind.LINE and min_duration_s > 0:
        raise InvalidInputError("A line is crossed in a moment; expected 0.", field="min_duration_s")


def _checked_line(value: Mapping[str, Any]) -> dict[str, Any]:
    _only(value, {"points", "direction"})
    points, direction = value.get("points"), value.get("direction", Direction.ANY.value)
    if not isinstance(points, list | tuple) or len(points) != 2:
        raise _bad_condition("Expected two points of a line")
    ends = [_checked_point(point, number, "condition") for number, point in enumerate(points, start=1)]
    if not all(math.isfinite(side) and 0 <= side <= 1 for end in ends for side in end):
        raise _bad_condition("Expected points of 0 to 1")
    if math.dist(*ends) < _SHORTEST_LINE:
        raise _bad_condition("The line is too short")
    if not isinstance(direction, str) or direction not in set(Direction):
        raise _bad_condition(f"Expected direction as one of {', '.join(Direction)}")
    return {"points": [list(end) for end in ends], "direction": direction}


def _checked_bounds(
    value: Mapping[str, Any], low: str, high: str, most: float, *, is_whole: bool = False
) -> dict[str, float | None]:
    _only(value, {low, high})
    bounds = {name: value.get(name) for name in (low, high)}
    for name, bound in bounds.items():
        is_good = bound is None or (_is_number(bound) and 0 <= bound <= most)
        if not is_good or (is_whole and bound is not None and bound != int(bound)):
            raise _bad_condition(f"Expected {name} of 0 to {most:g}")
    lowest, highest = bounds[low], bounds[high]
    if highest is None and not lowest:
        raise _bad_condition(f"Expected {low} above 0, or {high}")
    if lowest is not None and highest is not None and lowest > highest:
        raise _bad_condition(f"Expected {low} no greater than {high}")
    return {name: int(bound) if is_whole and bound is not None else bound for name, bound in bounds.items()}


def _above_zero(value: object, name: str, most: float) -> float:
    if isinstance(value, int | float) and _is_number(value) and 0 < value <= most:
        return float(value)
    raise _bad_condition(f"Expected {name} above 0 and at most {most:g}")


def _only(value: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(str(name) for name in set(value) - known)
    if unknown:
        raise _bad_condition(f"There is no {unknown[0]!r} here; there are {', '.join(sorted(known))}")


def _bad_condition(message: str) -> InvalidInputError:
    return InvalidInputError(f"{message}.", field="condition")


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


def _checked_point(value: object, number: int, field: str = "polygon") -> Point:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_number, value)):
        raise InvalidInputError(f"Point {number}: expected [x, y].", field=field)
    return float(value[0]), float(value[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
