"""Luna's times: RFC 3339, in UTC with `Z` on the way out."""

import re
from datetime import UTC, date, datetime

from django.utils.dateparse import parse_datetime

_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")  # `+` in a query means a space


def time_text(moment: datetime | None) -> str | None:
    """Return `2025-10-12T19:05:30.123456Z`.

    >>> time_text(datetime(2025, 10, 12, 19, 5, 30, tzinfo=UTC))
    '2025-10-12T19:05:30.000000Z'
    """
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def read_time(text: str) -> datetime:
    """Return the time that a text says; without an offset it means UTC. Raise `ValueError` for none."""
    for spelling in (text, _LOST_PLUS.sub("+", text)):
        try:
            moment = parse_datetime(spelling)
        except ValueError:
            moment = None
        if moment is not None and date(1, 1, 3) < moment.date() < date(9999, 1, 1):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise ValueError("expected a date-time as in RFC 3339")
