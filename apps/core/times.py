"""Between the database's times (aware datetimes) and the engine's (integers, UTC microseconds)."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Return an aware time in UTC microseconds since 1970, exactly.

    >>> to_us(datetime(2026, 1, 1, tzinfo=UTC))
    1767225600000000
    """
    return (moment - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return the aware UTC time of microseconds since 1970.

    >>> from_us(1767225600000001).isoformat()
    '2026-01-01T00:00:00.000001+00:00'
    """
    return _EPOCH + us * _MICROSECOND
