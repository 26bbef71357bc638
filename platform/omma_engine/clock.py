"""Clocks: every time in the engine comes from one of these, so that tests can hold it."""

import time
from typing import Protocol


class Clock(Protocol):
    """A wall clock and a monotonic clock."""

    def now_us(self) -> int:
        """Return UTC in microseconds since the Unix epoch."""
        ...

    def monotonic_us(self) -> int:
        """Return a clock that never steps, in microseconds since an arbitrary point."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000
