"""How many there are: from counts in single pictures to crowds that begin, last and end."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any
from uuid import UUID

from omma_engine.ids import uuid7

MIN_PERIOD_S = 0.5


class CountTrigger(StrEnum):
    """When a result is told: again and again while the crowd lasts, when it begins, or when it ends."""

    PERIOD = "period"
    START = "start"
    END = "end"


class CountPhase(StrEnum):
    """Where a crowd stands; `start` and `end` come once each."""

    START = "start"
    PERIOD = "period"
    END = "end"


@dataclass(frozen=True, slots=True)
class CountingSpec:
    """A crowd is `at_least` to `at_most` objects in `probes` pictures in a row, for `delay_s`.

    With no bound (None) it begins with the first pictures and lasts. `trigger` says when it is told,
    `period_s` how often at most. `coordinates` and `overview` add places and the picture (`image_*` say how
    it is kept).
    """

    trigger: str = CountTrigger.PERIOD
    period_s: float = 10.0
    at_least: int | None = None
    at_most: int | None = None
    probes: int = 3
    delay_s: float = 0.0
    coordinates: bool = False
    overview: bool = False
    image_format: str = "jpeg"
    image_quality: float = 0.8
    image_max_px: int = 640

    @property
    def is_bounded(self) -> bool:
        """Whether some number of objects is no crowd, so that crowds are events."""
        return bool(self.at_least) or self.at_most is not None

    def is_met(self, count: int) -> bool:
        """Tell whether so many are as many as asked."""
        return count >= (self.at_least or 0) and (self.at_most is None or count <= self.at_most)


def decode_counting(raw: Mapping[str, Any]) -> CountingSpec:
    """Return the spec that `encode_counting` wrote."""
    known = {item.name for item in fields(CountingSpec)}
    return CountingSpec(**{name: value for name, value in raw.items() if name in known})


def encode_counting(spec: CountingSpec) -> dict[str, Any]:
    """Return the spec as JSON values."""
    return asdict(spec)


@dataclass(frozen=True, slots=True)
class CountMoment:
    """A crowd begins, lasts or ends; `is_told` where somebody asked to be told at this moment."""

    phase: CountPhase
    event_id: UUID
    start_us: int
    at_us: int
    count: int
    highest: int
    is_told: bool


@dataclass(slots=True)
class _Crowd:
    event_id: UUID
    start_us: int
    highest: int
    last_us: int
    said_us: int


class Counter:
    """Holds what the last pictures counted. Pure: time comes in with the pictures."""

    def __init__(self, spec: CountingSpec) -> None:
        self.spec = spec
        self._crowd: _Crowd | None = None
        self._met = 0  # pictures in a row that show enough
        self._missed = 0
        self._since_us = 0
        self._highest = 0

    def observe(self, at_us: int, count: int) -> list[CountMoment]:
        """Take one picture's count, later than any before, and return what it changes."""
        is_met = self.spec.is_met(count)
        if self._crowd is None:
            return self._await(at_us, count, is_met=is_met)
        crowd = self._crowd
        if is_met:
            self._missed, crowd.last_us, crowd.highest = 0, at_us, max(crowd.highest, count)
            return self._go_on(crowd, at_us, count)
        self._missed += 1
        return [self._end(crowd, count)] if self._missed >= self.spec.probes else []

    def finish(self) -> list[CountMoment]:
        """End a crowd that lasts: there will be no more pictures."""
        return [self._end(self._crowd, self._crowd.highest)] if self._crowd is not None else []

    def _await(self, at_us: int, count: int, *, is_met: bool) -> list[CountMoment]:
        if not is_met:
            self._met = self._highest = 0
            return []
        if self._met == 0:
            self._since_us = at_us
        self._met += 1
        self._highest = max(self._highest, count)
        if self._met < self.spec.probes or at_us - self._since_us < self.spec.delay_s * 1e6:
            return []
        crowd = _Crowd(uuid7(self._since_us // 1000), self._since_us, self._highest, at_us, at_us)
        self._crowd, self._met, self._highest, self._missed = crowd, 0, 0, 0
        is_told = self.spec.trigger != CountTrigger.END
        return [_moment(CountPhase.START, crowd, at_us, count, is_told=is_told)]

    def _go_on(self, crowd: _Crowd, at_us: int, count: int) -> list[CountMoment]:
        is_due = at_us - crowd.said_us >= self.spec.period_s * 1e6
        if self.spec.trigger != CountTrigger.PERIOD or not is_due:
            return []
        crowd.said_us = at_us
        return [_moment(CountPhase.PERIOD, crowd, at_us, count, is_told=True)]

    def _end(self, crowd: _Crowd, count: int) -> CountMoment:
        self._crowd, self._missed = None, 0
        is_told = self.spec.trigger == CountTrigger.END
        return _moment(CountPhase.END, crowd, crowd.last_us, count, is_told=is_told)


def counting_problem(raw: Mapping[str, Any]) -> str:
    """Say what is wrong with a counting's values, or return nothing."""
    known = {item.name: item for item in fields(CountingSpec)}
    for name, value in raw.items():
        if name not in known:
            return f"there is no {name!r}; there are {', '.join(sorted(known))}"
        problem = _value_problem(name, value)
        if problem:
            return f"{name}: {problem}"
    spec = decode_counting(raw)
    if spec.at_least is not None and spec.at_most is not None and spec.at_least > spec.at_most:
        return "at_least: expected no more than at_most"
    return ""


_CHOICES = {"trigger": tuple(CountTrigger), "image_format": ("jpeg", "png")}
_WHOLE = {"at_least": (0, 100_000), "at_most": (0, 100_000), "probes": (1, 1000), "image_max_px": (16, 4096)}
_REAL = {"period_s": (MIN_PERIOD_S, 86_400.0), "delay_s": (0.0, 86_400.0), "image_quality": (0.0, 1.0)}


def _value_problem(name: str, value: Any) -> str:
    if name in _CHOICES:
        is_good = isinstance(value, str) and value in _CHOICES[name]
        return "" if is_good else f"expected {' or '.join(_CHOICES[name])}"
    if name in _WHOLE:
        low, high = _WHOLE[name]
        if value is None and name in ("at_least", "at_most"):
            return ""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if is_whole and low <= value <= high else f"expected a whole number of {low} to {high}"
    if name in _REAL:
        lowest, highest = _REAL[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return "" if is_number and lowest <= value <= highest else f"expected {lowest:g} to {highest:g}"
    return "" if isinstance(value, bool) else "expected true or false"


def _moment(phase: CountPhase, crowd: _Crowd, at_us: int, count: int, *, is_told: bool) -> CountMoment:
    return CountMoment(phase, crowd.event_id, crowd.start_us, at_us, count, crowd.highest, is_told)
