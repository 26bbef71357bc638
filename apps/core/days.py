"""Days of the calendar as instants: where one begins depends on the place, and not all have 24 hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of some place: the instants `[start, end)`."""

    day: date
    start: datetime
    end: datetime


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder's name, or a path
        raise ValueError(f"expected a time zone such as Europe/Berlin, got {name[:64]!r}") from error


def day_of(day: date, zone: ZoneInfo) -> Day:
    """Return a day's instants.

    >>> spring = day_of(date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    >>> str(spring.end - spring.start)
    '23:00:00'
    """
    return Day(day, _first_instant(day, zone), _first_instant(day + _ONE, zone))


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Day]:
    """Yield the days that `[start, end)` touches, each whole.

    >>> halves = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    >>> [str(one.day) for one in days_between(*halves, ZoneInfo("Europe/Berlin"))]
    ['2026-03-28', '2026-03-29']
    """
    current = start.astimezone(zone).date()
    while (one := day_of(current, zone)).start < end:
        if one.end > max(one.start, start):  # a place that crosses the date line has days of no length
            yield one
        current += _ONE


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return midnight; where clocks jump over it, the jump; where they repeat it, the first."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
