"""A worker gives back, once it has started, what it needed for that."""

import threading

import pytest

from apps.core import slimming
from apps.core.slimming import Slimming


@pytest.fixture
def slimmed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    done = threading.Event()
    monkeypatch.setattr(slimming, "slim", done.set)
    return done


def test_it_is_done_a_while_after_the_start(
    slimmed: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slimming, "SETTLED_S", 0.01)
    component = Slimming()
    component.start()

    assert slimmed.wait(5)
    component.stop()
    component.stop()


def test_a_worker_that_stops_before_does_not_wait_for_it(slimmed: threading.Event) -> None:
    component = Slimming()
    component.start()
    component.stop()

    assert not slimmed.is_set()
