"""When a dead child may start again: back-off, and parking for what crashes again and again."""

import random
from collections import deque
from dataclasses import dataclass, field

from omma_engine.supervise.config import SupervisorConfig

_SECOND_US = 1_000_000


@dataclass(slots=True)
class RestartPolicy:
    """The restarts of one object. Times are microseconds of a monotonic clock."""

    config: SupervisorConfig
    failures: int = 0
    crashes: deque[int] = field(default_factory=deque)
    is_parked: bool = False

    def after_exit(self, *, now_us: int, lived_us: int, is_crash: bool) -> int:
        """Note an exit and return when the next start is due.

        A crash is an exit by a signal or with a status; leaving on purpose only backs off.
        """
        if lived_us >= self.config.calm_s * _SECOND_US:
            self.failures = 0
        self.failures += 1
        self.is_parked = is_crash and self._is_crash_loop(now_us)
        if self.is_parked:
            self.crashes.clear()
            return now_us + int(self.config.park_s * _SECOND_US)
        return now_us + self._back_off_us()

    def _is_crash_loop(self, now_us: int) -> bool:
        self.crashes.append(now_us)
        while self.crashes and self.crashes[0] < now_us - self.config.crash_window_s * _SECOND_US:
            self.crashes.popleft()
        return len(self.crashes) >= self.config.crashes_to_park

    def _back_off_us(self) -> int:
        wait_s = min(self.config.back_off_first_s * 2 ** (self.failures - 1), self.config.back_off_max_s)
        jitter = random.uniform(0.8, 1.0)  # noqa: S311 - spreads restarts, guards nothing
        return int(wait_s * jitter * _SECOND_US)
