"""When analytics work, across days, weeks and both changes of summer time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.core.exceptions import InvalidInputError
from apps.core.models import Outbox
from apps.inference.models import Analytic
from apps.inference.pausing import open_ones
from apps.inference.schedules import checked_schedule, is_open
from tests.apps.inference.rows import make_analytic, make_stream
from tests.factories import make_account

BERLIN = ZoneInfo("Europe/Berlin")


def entry(start: str, end: str, weekdays: Any = None, timezone: str = "Europe/Berlin") -> dict[str, Any]:
    days = {} if weekdays is None else {"weekdays": weekdays}
    return {"start": start, "end": end, "timezone": timezone, **days}


def open_minutes(schedule: list[dict[str, Any]], day: datetime) -> int:
    """Count the minutes of real time that are open from midnight to midnight on the wall."""
    begin = day.astimezone(UTC)
    end = (day + timedelta(days=1)).astimezone(UTC)  # wall time: a day may have 23 or 25 hours
    minutes = range(round((end - begin).total_seconds() / 60))
    return sum(is_open(schedule, begin + timedelta(minutes=minute)) for minute in minutes)


def test_an_empty_schedule_is_always_open() -> None:
    assert is_open(checked_schedule([]), datetime(2026, 1, 1, tzinfo=UTC))


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    schedule = checked_schedule([entry("08:00", "17:30", "1-5")])

    assert is_open(schedule, datetime(2026, 1, 5, 8, 0, tzinfo=BERLIN))
    assert is_open(schedule, datetime(2026, 7, 6, 6, 0, tzinfo=UTC))  # summer time
    assert not is_open(schedule, datetime(2026, 1, 5, 17, 30, tzinfo=BERLIN))
    assert not is_open(schedule, datetime(2026, 1, 4, 12, 0, tzinfo=BERLIN))  # a Sunday


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    schedule = checked_schedule([entry("22:00", "06:00", [7])])

    assert is_open(schedule, datetime(2026, 1, 4, 23, 0, tzinfo=BERLIN))
    assert is_open(schedule, datetime(2026, 1, 5, 5, 59, tzinfo=BERLIN))  # over the end of the week
    assert not is_open(schedule, datetime(2026, 1, 4, 5, 0, tzinfo=BERLIN))


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [("02:15", "02:45", 0), ("01:30", "03:30", 60), ("02:30", "04:00", 60), ("00:00", "24:00", 23 * 60)],
)
def test_an_hour_that_summer_time_skips_is_not_worked(start: str, end: str, minutes: int) -> None:
    assert (
        open_minutes(checked_schedule([entry(start, end)]), datetime(2026, 3, 29, tzinfo=BERLIN)) == minutes
    )


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [("02:15", "02:45", 60), ("01:30", "03:30", 180), ("00:00", "24:00", 25 * 60)],
)
def test_an_hour_that_comes_twice_is_worked_twice(start: str, end: str, minutes: int) -> None:
    day = datetime(2026, 10, 25, tzinfo=BERLIN)

    assert open_minutes(checked_schedule([entry(start, end)]), day) == minutes


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("always", "Expected a list"),
        ([entry("08:00", "12:00"), entry("11:59", "13:00", [3])], "Entry 2 overlaps entry 1"),
        ([entry("22:00", "06:00", [7]), entry("05:00", "07:00", [1])], "Entry 2 overlaps entry 1"),
        ([entry("00:00", "23:00", [1, 2]), entry("10:00", "09:00", [4, 5])], ""),
        ([entry("08:00", "08:00")], "the same"),
        ([entry("8:00", "09:00")], "HH:MM"),
        ([entry("08:00", "25:00")], "HH:MM"),
        ([entry("24:00", "08:00")], "HH:MM"),
        ([entry("08:00", "09:00", [0])], "weekdays"),
        ([entry("08:00", "09:00", [1, 1])], "weekdays"),
        ([entry("08:00", "09:00", [])], "weekdays"),
        ([entry("08:00", "09:00", "8")], "weekdays"),
        ([entry("08:00", "09:00", "5-1")], ""),
        ([entry("08:00", "09:00", timezone="Europe/Nowhere")], "time zone"),
        ([entry("08:00", "09:00", timezone="../../etc/passwd")], "time zone"),
        ([entry("08:00", "09:00"), entry("10:00", "11:00", timezone="UTC")], "share one time zone"),
        ([{"start": "08:00"}], "HH:MM"),
        ([{"start": "08:00", "end": "09:00", "colour": 1}], "expected weekdays, start, end and timezone"),
        ([17], "expected weekdays"),
    ],
)
def test_what_is_no_schedule_is_refused(value: Any, message: str) -> None:
    if not message:
        assert checked_schedule(value)
        return
    with pytest.raises(InvalidInputError, match=message) as caught:
        checked_schedule(value)
    assert caught.value.field == "schedule"


@pytest.mark.django_db
def test_a_closed_schedule_pauses_and_an_open_one_resumes_and_each_is_told_once() -> None:
    stream = make_stream(make_account())
    always = make_analytic(stream)
    nights = make_analytic(stream, "motion", number=1, schedule=checked_schedule([entry("22:00", "06:00")]))
    noon, night = (datetime(2026, 1, 5, hour, tzinfo=BERLIN) for hour in (12, 23))

    def at(moment: datetime) -> list[Analytic]:
        return open_ones(list(Analytic.objects.order_by("number")), moment)

    assert at(noon) == at(noon) == [always]
    nights.refresh_from_db()
    assert (nights.status, nights.status_detail) == ("paused", "outside its schedule")
    assert at(night) == [always, nights]
    nights.refresh_from_db()
    assert nights.status == "pending"
    assert Outbox.objects.filter(kind="analytic.updated", subject_id=nights.pk).count() == 2
