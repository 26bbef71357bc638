"""When analytics work: entries of weekdays and times of day in a time zone, and whether one is open now.

An entry is `{"weekdays": [1, …, 7] (Monday is 1; all where absent) or "1-5", "start": "HH:MM",
"end": "HH:MM" ("24:00" is midnight), "timezone": "Europe/Berlin"}`. It begins on the weekdays named and may
go on past midnight. It is open while a clock on the wall there shows a time in `[start, end)`: of an hour
that summer time skips nothing is left, and one that comes twice is worked twice.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.core.exceptions import InvalidInputError

MAX_ENTRIES = 50
_DAY = 24 * 60
_WEEK = 7 * _DAY
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAYS = re.compile(r"[1-7](-[1-7])?(,[1-7](-[1-7])?)*")
_KNOWN = {"weekdays", "start", "end", "timezone"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Minutes of the week, counted from Monday's midnight on the wall; a span may wrap round the week."""

    spans: tuple[tuple[int, int], ...]
    timezone: str

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(ZoneInfo(self.timezone))
        minute = local.weekday() * _DAY + local.hour * 60 + local.minute
        return any((minute - start) % _WEEK < length for start, length in self.spans)


def is_open(schedule: Sequence[Mapping[str, Any]], at: datetime) -> bool:
    """Tell whether a stored schedule is open at a moment; an empty one always is."""
    return not schedule or any(_read(entry, number).is_open(at) for number, entry in enumerate(schedule, 1))


def checked_schedule(value: object) -> list[dict[str, Any]]:
    """Return a schedule as it is stored. Refuses entries that overlap or that share no time zone."""
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise _refused(f"Expected a list of at most {MAX_ENTRIES} entries.")
    entries = [_read(entry, number) for number, entry in enumerate(value, start=1)]
    if len({entry.timezone for entry in entries}) > 1:
        raise _refused("The entries of a schedule share one time zone.")
    _refuse_overlap(entries)
    return [_stored(entry) for entry in value]


def _refuse_overlap(entries: Sequence[Entry]) -> None:
    taken: dict[int, int] = {}
    for number, entry in enumerate(entries, start=1):
        own = {(start + minute) % _WEEK for start, length in entry.spans for minute in range(length)}
        if sum(length for _, length in entry.spans) > len(own):
            raise _refused(f"Entry {number}: its days overlap each other.")
        other = next((taken[minute] for minute in sorted(own) if minute in taken), None)
        if other is not None:
            raise _refused(f"Entry {number} overlaps entry {other}.")
        taken.update(dict.fromkeys(own, number))


def _read(entry: object, number: int) -> Entry:
    if not isinstance(entry, Mapping) or not set(entry) <= _KNOWN:
        raise _refused(f"Entry {number}: expected weekdays, start, end and timezone.")
    start, end = _minute(entry.get("start"), number), _minute(entry.get("end"), number, is_end=True)
    if start == end:
        raise _refused(f"Entry {number}: start and end are the same; a whole day is 00:00 to 24:00.")
    length = end - start if end > start else end + _DAY - start
    days = sorted(_weekdays(entry.get("weekdays", list(range(1, 8))), number))
    spans = tuple(((day - 1) * _DAY + start, length) for day in days)
    return Entry(spans, _timezone(entry.get("timezone", "UTC"), number))


def _stored(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "weekdays": sorted(_weekdays(entry.get("weekdays", list(range(1, 8))), 1)),
        "start": entry["start"],
        "end": entry["end"],
        "timezone": entry.get("timezone", "UTC"),
    }


def _weekdays(value: object, number: int) -> set[int]:
    days: Iterable[object] = ()
    if isinstance(value, str) and _DAYS.fullmatch(value):
        days = [day for part in value.split(",") for day in _day_range(part)]
    elif isinstance(value, list):
        days = value
    found = {day for day in days if isinstance(day, int) and not isinstance(day, bool) and 1 <= day <= 7}
    if not found or len(found) != len(list(days)):
        raise _refused(f"Entry {number}: expected weekdays of 1 (Monday) to 7, each once.")
    return found


def _day_range(part: str) -> list[int]:
    first, _, last = part.partition("-")
    low, high = int(first), int(last or first)
    if low <= high:
        return list(range(low, high + 1))
    return [*range(low, 8), *range(1, high + 1)]  # over the weekend


def _minute(value: object, number: int, *, is_end: bool = False) -> int:
    if is_end and value == "24:00":
        return _DAY
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _refused(f"Entry {number}: expected start and end as HH:MM.")
    return int(match[1]) * 60 + int(match[2])


def _timezone(value: object, number: int) -> str:
    try:
        if isinstance(value, str) and len(value) <= 64:
            return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise _refused(f"Entry {number}: there is no such time zone.")


def _refused(message: str) -> InvalidInputError:
    return InvalidInputError(message, field="schedule")
