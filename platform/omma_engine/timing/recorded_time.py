"""The time that footage is stamped with: the server's clock, but it never goes back.

Two clocks. A `SteadyClock` is monotonic time counted from the wall clock at its making: arrivals are taken on
it, and nothing that is done to the server's clock disturbs it. `RecordedTime` says which time in UTC a
steady time is recorded under, and follows the server's clock:

- set forward by more than a second, it waits for a keyframe (`step_at`) and goes along there;
- set back, recorded time goes on from where it is, 5 % slower than time passes, until the server's clock has
  caught up: no instant is claimed twice. How far it is ahead counts as an error of each time given out;
- set back by more than a day, it does not follow any more (`is_hopeless`).
"""

import logging
from typing import NamedTuple

from omma_engine.clock import Clock

logger = logging.getLogger(__name__)

MOST_AHEAD_US = 24 * 3_600 * 1_000_000
_STEP_US = 1_000_000
_AHEAD_US = 10_000  # less is noise, or a clock that is being slewed
_NOISE_US = 1_000
_CATCH_UP_NUM, _CATCH_UP_DEN = 19, 20
_LINES_KEPT = 4


class SteadyClock:
    """A wall clock that is never set: monotonic time, counted from what the wall clock said at first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_us = clock.now_us() - clock.monotonic_us()

    def now_us(self) -> int:
        return self._clock.monotonic_us() + self._offset_us

    def monotonic_us(self) -> int:
        return self._clock.monotonic_us()


class _Line(NamedTuple):
    """From `steady_us` on, recorded time goes on from `recorded_us` at full speed, or slowly."""

    steady_us: int
    recorded_us: int
    is_slow: bool

    def at(self, steady_us: int) -> int:
        passed_us = steady_us - self.steady_us
        return self.recorded_us + (passed_us * _CATCH_UP_NUM // _CATCH_UP_DEN if self.is_slow else passed_us)


class RecordedTime:
    """A `Clock` that tells recorded time, and what turns steady times into it. One thread."""

    def __init__(self, clock: Clock, *, not_before_us: int = 0) -> None:
        """`not_before_us` is up to when there is footage; what is further ahead than a day is not heeded."""
        self._clock = clock
        self.steady = SteadyClock(clock)
        steady_us = self.steady.now_us()
        is_ahead = steady_us < not_before_us <= steady_us + MOST_AHEAD_US
        begin_us = not_before_us if is_ahead else steady_us
        self._lines = [_Line(steady_us, begin_us, is_slow=is_ahead)]
        self.ahead_us = begin_us - steady_us
        """How far recorded time is ahead of the server's clock."""
        self.behind_us = 0
        """How far the server's clock was set forward: a step that waits for `step_at`."""

    def now_us(self) -> int:
        """Return the time that what happens now is recorded under."""
        return self.of(self.steady.now_us())

    def monotonic_us(self) -> int:
        return self._clock.monotonic_us()

    @property
    def is_hopeless(self) -> bool:
        """Return whether the server's clock was set back so far that it is never caught up with."""
        return self.ahead_us > MOST_AHEAD_US

    def of(self, steady_us: int) -> int:
        """Return the recorded time of a steady one; of two, the later one's is the later."""
        for line in reversed(self._lines):
            if steady_us >= line.steady_us:
                return line.at(steady_us)
        return self._lines[0].at(steady_us)

    def look(self) -> None:
        """Compare with the server's clock; called a few times a second."""
        before_us = self.steady.now_us()
        wall_us = self._clock.now_us()
        steady_us = self.steady.now_us()
        if steady_us - before_us > _NOISE_US:
            return  # the machine was busy in between: the next look tells more
        line = self._lines[-1]
        recorded_us = line.at(steady_us)
        off_us = recorded_us - wall_us
        self.behind_us = max(0, -off_us) if off_us < -_STEP_US else 0
        self.ahead_us = max(0, off_us)
        if line.is_slow and off_us <= 0:
            self._begin(steady_us, recorded_us, is_slow=False)
        elif not line.is_slow and off_us > _AHEAD_US:
            self._begin(steady_us, recorded_us, is_slow=True)
            logger.warning("the server's clock is %.1f s behind what is recorded", off_us / 1_000_000)
        elif not line.is_slow and not self.behind_us and abs(off_us) > _NOISE_US:
            self._begin(steady_us, wall_us, is_slow=False)

    def step_at(self, steady_us: int) -> None:
        """Go along with the server's clock from this steady time on, where it was set forward."""
        if self.behind_us:
            self._begin(steady_us, self.of(steady_us) + self.behind_us, is_slow=False)
            self.behind_us = 0

    def _begin(self, steady_us: int, recorded_us: int, *, is_slow: bool) -> None:
        self._lines = [*self._lines[1 - _LINES_KEPT :], _Line(steady_us, recorded_us, is_slow)]
