"""Clocks that stand still until a test moves them."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


class FakeClock:
    """Both clocks of `omma_engine.clock.Clock`, and an aware `now()` for the applications."""

    def __init__(self, start: datetime = START) -> None:
        self._wall_us = round(start.timestamp() * 1_000_000)
        self._monotonic_us = 0

    def now_us(self) -> int:
        return self._wall_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def now(self) -> datetime:
        """Return the wall clock as an aware datetime."""
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self._wall_us)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        step_us = round(seconds * 1_000_000)
        self._wall_us += step_us
        self._monotonic_us += step_us

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person does; the monotonic clock does not notice."""
        self._wall_us += round(seconds * 1_000_000)
