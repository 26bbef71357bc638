"""SpectraX's times: lists have no offset and mean its server's zone; status and statistics are UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime

from apps.core.exceptions import InvalidInputError

_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")  # `+` in a query means a space


def zone() -> ZoneInfo:
    """Return the zone of times without an offset."""
    return ZoneInfo(settings.OMMA_SPECTRAX_TIME_ZONE)


def naive_text(moment: datetime) -> str:
    """Return `2025-10-12T19:05:30.123456`."""
    return f"{moment.astimezone(zone()):%Y-%m-%dT%H:%M:%S.%f}"


def utc_text(moment: datetime | None) -> str | None:
    """Return `2025-10-12T19:05:30Z`."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def first_moment(text: str, field: str) -> datetime:
    """Return the time that a text says; a bare date is the beginning of that day."""
    day = _day_in(text)
    if day is not None:
        return _bounded(datetime.combine(day, time(), zone()), field)
    return _moment_in(text, field)


def moment_after(text: str, field: str) -> datetime:
    """Return the first time that is no longer meant by "until" a text: a bare date means its whole day."""
    day = _day_in(text)
    if day is not None:
        begin = _bounded(datetime.combine(day, time(), zone()), field)
        return datetime.combine(begin.date() + timedelta(days=1), time(), zone())
    return _moment_in(text, field) + timedelta(microseconds=1)


def _day_in(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _moment_in(text: str, field: str) -> datetime:
    for spelling in (text, _LOST_PLUS.sub("+", text)):
        try:
            moment = parse_datetime(spelling)
        except ValueError:
            moment = None
        if moment is not None:
            return _bounded(moment if moment.tzinfo else moment.replace(tzinfo=zone()), field)
    raise InvalidInputError(f"{field}: expected an ISO date or date-time", field=field)


def _bounded(moment: datetime, field: str) -> datetime:
    """Refuse years that neither Python nor Postgres can reckon with in every zone."""
    if not date(1, 1, 3) < moment.date() < date(9999, 1, 1):
        raise InvalidInputError(f"{field}: the year is out of range", field=field)
    return moment
