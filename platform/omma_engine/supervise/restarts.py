"""When a dead child may start again: back-off, and parking for what crashes again and again.

Of objects that share a child nobody knows whose fault a crash is. They are not parked: from the second crash
on they are set apart by halves, each half in a child of its own, until the culprit is alone in one. It was in
every crash by then, so that its next one, alone, parks it.
"""

import random
from collections import deque
from dataclasses import dataclass, field

from omma_engine.supervise.config import SupervisorConfig

_SECOND_US = 1_000_000
_CRASHES_TO_PART = 2


@dataclass(slots=True)
class RestartPolicy:
    """The restarts of one object. Times are microseconds of a monotonic clock."""

    config: SupervisorConfig
    failures: int = 0
    crashes: deque[int] = field(default_factory=deque)
    is_parked: bool = False
    cell: str = ""  # which of the halves it is in, and of that one's halves, and so on

    def after_exit(self, *, now_us: int, lived_us: int, is_crash: bool, was_alone: bool = True) -> int:
        """Note an exit and return when the next start is due.

        A crash is an exit by a signal or with a status; leaving on purpose only backs off.
        """
        if lived_us >= self.config.calm_s * _SECOND_US:
            self.failures = 0
        self.failures += 1
        self.is_parked = is_crash and self._is_crash_loop(now_us) and was_alone
        if self.is_parked:
            self.crashes.clear()
            return now_us + int(self.config.park_s * _SECOND_US)
        return now_us + self._back_off_us()

    def set_apart(self, *, place: int, count: int) -> None:
        """Move it, as one of so many that crashed together, into its half; the first crash is let pass."""
        if self.cell or len(self.crashes) >= _CRASHES_TO_PART:
            self.cell += "a" if place < (count + 1) // 2 else "b"

    def _is_crash_loop(self, now_us: int) -> bool:
        self.crashes.append(now_us)
        while self.crashes and self.crashes[0] < now_us - self.config.crash_window_s * _SECOND_US:
            self.crashes.popleft()
        return len(self.crashes) >= self.config.crashes_to_park

    def _back_off_us(self) -> int:
        wait_s = min(self.config.back_off_first_s * 2 ** (self.failures - 1), self.config.back_off_max_s)
        jitter = random.uniform(0.8, 1.0)  # noqa: S311 - spreads restarts, guards nothing
        return int(wait_s * jitter * _SECOND_US)
