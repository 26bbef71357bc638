"""A host with more to do than time for it looks less often, and recovers."""

from omma_engine.inference.load import LoadControl
from tests.clocks import FakeClock


def work(load: LoadControl, clock: FakeClock, *, busy_s: float, of_s: float, dropped: int) -> bool:
    load.begin()
    clock.advance(busy_s)
    load.end()
    clock.advance(of_s - busy_s)
    return load.look(dropped=dropped)


def test_dropping_while_busy_lowers_the_rate_and_room_raises_it_again(fake_clock: FakeClock) -> None:
    load = LoadControl(fake_clock)

    assert work(load, fake_clock, busy_s=2.0, of_s=2.0, dropped=5)
    assert work(load, fake_clock, busy_s=2.0, of_s=2.0, dropped=9)
    assert 0.4 < load.share < 0.5
    assert not work(load, fake_clock, busy_s=1.6, of_s=2.0, dropped=9)  # it just fits
    for _ in range(10):
        work(load, fake_clock, busy_s=0.5, of_s=2.0, dropped=9)

    assert load.share == 1.0
    assert not load.is_overloaded


def test_drops_without_work_are_somebody_elses_fault(fake_clock: FakeClock) -> None:
    load = LoadControl(fake_clock)

    assert not work(load, fake_clock, busy_s=0.2, of_s=2.0, dropped=50)


def test_the_rate_never_falls_to_nothing(fake_clock: FakeClock) -> None:
    load = LoadControl(fake_clock)

    for window in range(1, 50):
        work(load, fake_clock, busy_s=2.0, of_s=2.0, dropped=10 * window)

    assert load.share == 0.1
