"""F19: days at the beginning and the end of daylight saving, in zones of every kind."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from apps.core.days import day_of, days_between

pytestmark = pytest.mark.fault("F19")

# Lord Howe moves its clocks by half an hour, Santiago at midnight.
TRANSITIONS = [  # zone, day, hours
    ("Europe/Berlin", date(2026, 3, 29), 23.0),
    ("Europe/Berlin", date(2026, 10, 25), 25.0),
    ("America/New_York", date(2026, 3, 8), 23.0),
    ("America/New_York", date(2026, 11, 1), 25.0),
    ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ("America/Santiago", date(2026, 9, 6), 23.0),
    ("America/Santiago", date(2026, 4, 4), 25.0),
]


@pytest.mark.parametrize(("zone", "day", "hours"), TRANSITIONS)
def test_a_day_of_a_transition_is_as_long_as_it_is(zone: str, day: date, hours: float) -> None:
    found = day_of(day, ZoneInfo(zone))

    assert (found.end - found.start) == timedelta(hours=hours)
    assert found.start.utcoffset() == timedelta(0)


@pytest.mark.parametrize("zone", sorted({zone for zone, *_ in TRANSITIONS}))
def test_the_days_of_a_year_follow_each_other_without_a_hole(zone: str) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    days = list(days_between(start, end, ZoneInfo(zone)))

    assert days[0].start <= start
    assert days[-1].end >= end
    assert all(before.end == after.start for before, after in pairwise(days))
    assert all(before.day + timedelta(days=1) == after.day for before, after in pairwise(days))
