"""Recorded time follows the server's clock, and never goes back."""

import random
from itertools import pairwise

import pytest

from omma_engine.timing.recorded_time import RecordedTime
from tests.clocks import FakeClock

MINUTE_S = 60.0
HOUR_S = 3600.0
LOOK_S = 0.2


class Watched:
    """A clock, recorded time beside it, and what that said at each look."""

    def __init__(self, not_before_s: float = 0.0) -> None:
        self.clock = FakeClock()
        not_before_us = self.clock.now_us() + round(not_before_s * 1e6) if not_before_s else 0
        self.time = RecordedTime(self.clock, not_before_us=not_before_us)
        self.said = [self.time.now_us()]

    def pass_(self, seconds: float, *, every_s: float = LOOK_S) -> None:
        for _ in range(round(seconds / every_s)):
            self.clock.advance(every_s)
            self.time.look()
            self.said.append(self.time.now_us())

    @property
    def ahead_s(self) -> float:
        return (self.time.now_us() - self.clock.now_us()) / 1e6


def test_without_steps_it_is_the_wall_clock() -> None:
    watched = Watched()
    watched.pass_(MINUTE_S)

    assert watched.ahead_s == 0
    assert (watched.time.ahead_us, watched.time.behind_us) == (0, 0)


def test_a_slewed_clock_is_followed() -> None:
    watched = Watched()
    for _ in range(300):
        watched.clock.step_wall(100e-6)  # 500 ppm
        watched.pass_(LOOK_S)

    assert abs(watched.ahead_s) <= 0.001


@pytest.mark.fault("F17")
def test_set_back_it_goes_on_and_is_caught_up_with() -> None:
    watched = Watched()
    watched.pass_(1)
    watched.clock.step_wall(-90 * MINUTE_S)
    watched.pass_(1)
    ahead_s = watched.time.ahead_us / 1e6
    watched.pass_(31 * HOUR_S, every_s=10.0)

    assert ahead_s == pytest.approx(90 * MINUTE_S, abs=0.1)
    assert abs(watched.ahead_s) <= 0.02
    assert watched.time.ahead_us == 0
    assert all(later > earlier for earlier, later in pairwise(watched.said))


@pytest.mark.fault("F17")
def test_set_forward_it_waits_to_be_taken_along() -> None:
    watched = Watched()
    watched.clock.step_wall(90 * MINUTE_S)
    watched.pass_(1)
    before_s, pending_us = watched.ahead_s, watched.time.behind_us
    watched.time.step_at(watched.time.steady.now_us())
    watched.pass_(1)

    assert (before_s, pending_us) == (-90 * MINUTE_S, 90 * MINUTE_S * 1e6)
    assert watched.ahead_s == 0


@pytest.mark.fault("F17")
def test_what_came_before_a_step_keeps_its_time() -> None:
    watched = Watched()
    steady_us = watched.time.steady.now_us()
    before_us = watched.time.of(steady_us)
    watched.pass_(1)
    watched.clock.step_wall(HOUR_S)
    watched.pass_(1)
    watched.time.step_at(watched.time.steady.now_us())

    assert watched.time.of(steady_us) == before_us


@pytest.mark.fault("F17", "F18")
def test_it_begins_where_footage_ends() -> None:
    watched = Watched(not_before_s=10 * MINUTE_S)
    first_s = watched.ahead_s
    watched.pass_(MINUTE_S)

    assert first_s == 10 * MINUTE_S
    assert watched.ahead_s == pytest.approx(10 * MINUTE_S - 0.05 * MINUTE_S, abs=0.1)


def test_footage_of_another_year_is_not_followed() -> None:
    assert Watched(not_before_s=10 * 365 * 24 * HOUR_S).ahead_s == 0


def test_a_clock_set_back_by_days_is_not_waited_for() -> None:
    watched = Watched()
    watched.clock.step_wall(-25 * HOUR_S)
    watched.pass_(1)

    assert watched.time.is_hopeless


@pytest.mark.fault("F17")
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_done_to_the_clock_no_instant_comes_twice(seed: int) -> None:
    chance, watched = random.Random(seed), Watched()
    times = []
    for _ in range(300):
        if chance.random() < 0.05:
            watched.clock.step_wall(chance.choice([-3600, -60, -2, -0.5, 0.5, 2, 60, 3600]))
        watched.pass_(LOOK_S)
        steady_us = watched.time.steady.now_us()
        if chance.random() < 0.2:
            watched.time.step_at(steady_us)
        times.append(watched.time.of(steady_us))

    assert all(later > earlier for earlier, later in pairwise(times))
