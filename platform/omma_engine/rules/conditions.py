"""What may be asked of objects beyond being there: crossing a line, staying, being many, fast, or still."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from omma_engine.rules.polygon import Point


class ConditionKind(StrEnum):
    """How a condition is named in JSON."""

    LINE = "line"
    DWELL = "dwell"
    COUNT = "count"
    SPEED = "speed"
    STATIONARY = "stationary"


class Direction(StrEnum):
    """Which way a line is crossed, seen by who looks from its first point to its second."""

    ANY = "any"
    TO_LEFT = "to_left"
    TO_RIGHT = "to_right"


@dataclass(frozen=True, slots=True)
class LineCrossing:
    """Its foot goes from one side of the line between two points to the other."""

    start: Point
    end: Point
    direction: str = Direction.ANY

    kind = ConditionKind.LINE


@dataclass(frozen=True, slots=True)
class DwellTime:
    """It has been there for so long in all, whether or not it went away in between."""

    seconds: float

    kind = ConditionKind.DWELL


@dataclass(frozen=True, slots=True)
class CountInZone:
    """So many are there at once; it is about no single track."""

    at_least: int | None = None
    at_most: int | None = None

    kind = ConditionKind.COUNT

    def is_met(self, count: int) -> bool:
        return count >= (self.at_least or 0) and (self.at_most is None or count <= self.at_most)


@dataclass(frozen=True, slots=True)
class SpeedRange:
    """It is so fast, on the ground plane of its analytic; without a plane nothing ever is."""

    at_least_kmh: float | None = None
    at_most_kmh: float | None = None

    kind = ConditionKind.SPEED

    def is_met(self, speed_kmh: float | None) -> bool:
        if speed_kmh is None:
            return False
        return speed_kmh >= (self.at_least_kmh or 0.0) and (
            self.at_most_kmh is None or speed_kmh <= self.at_most_kmh
        )


@dataclass(frozen=True, slots=True)
class StandsStill:
    """It has not moved from its place for so long."""

    seconds: float

    kind = ConditionKind.STATIONARY


Condition = LineCrossing | DwellTime | CountInZone | SpeedRange | StandsStill


def encode_condition(condition: Condition | None) -> dict[str, Any]:
    """Return the condition as JSON values; nothing for none."""
    if condition is None:
        return {}
    values: dict[str, Any] = asdict(condition)
    if isinstance(condition, LineCrossing):
        values = {"points": [list(condition.start), list(condition.end)], "direction": condition.direction}
    return {"kind": str(condition.kind), **values}


def decode_condition(raw: Mapping[str, Any]) -> Condition | None:
    """Return the condition that `encode_condition` wrote."""
    values = {name: value for name, value in raw.items() if name != "kind"}
    match raw.get("kind"):
        case None:
            return None
        case ConditionKind.LINE:
            start, end = ((float(x), float(y)) for x, y in values["points"])
            return LineCrossing(start, end, values.get("direction", Direction.ANY))
        case ConditionKind.DWELL:
            return DwellTime(**values)
        case ConditionKind.COUNT:
            return CountInZone(**values)
        case ConditionKind.SPEED:
            return SpeedRange(**values)
        case ConditionKind.STATIONARY:
            return StandsStill(**values)
        case other:
            raise ValueError(f"expected one of {', '.join(ConditionKind)}, got {other!r}")
