"""Between the engine's microseconds and the database's times."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime.fromtimestamp(0, UTC)


def moment(microseconds: int) -> datetime:
    """Return the aware time of UTC microseconds since the Unix epoch, exactly."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    """Return UTC microseconds since the Unix epoch, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)
