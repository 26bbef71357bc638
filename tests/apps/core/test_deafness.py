"""A worker beside which messages wait while it does nothing is ended, and no other."""

import threading
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from apps.core import deafness
from apps.core.deafness import PATIENCE_S, DeafnessWatch, Hearing, Sight

pytestmark = pytest.mark.fault("F44")
QUEUE = "queue-nobody-consumes"


def test_messages_that_wait_beside_an_idle_worker_for_half_a_minute_mean_that_it_is_deaf() -> None:
    hearing = Hearing()

    judged = [hearing.is_deaf(Sight(1, 0, 7), now_s) for now_s in range(0, 45, 5)]

    assert judged.index(True) == int(PATIENCE_S / 5) + 1  # the first sight only tells how many were taken


@pytest.mark.parametrize(
    "sights",
    [
        [Sight(0, 0, 0)] * 20,  # nothing waits
        [Sight(50, 2, 0)] * 20,  # it is busy
        [Sight(50, 0, taken) for taken in range(20)],  # it works them off
        [Sight(1, 0, 0), Sight(0, 0, 0)] * 10,  # they come and go
    ],
)
def test_a_worker_that_hears_is_left_alone(sights: list[Sight]) -> None:
    hearing = Hearing()

    assert not any(hearing.is_deaf(sight, number * 5.0) for number, sight in enumerate(sights))


def test_while_the_broker_is_away_nobody_is_deaf() -> None:
    hearing = Hearing()
    for now_s in range(0, 30, 5):
        hearing.is_deaf(Sight(1, 0, 0), now_s)

    hearing.forget()

    assert not hearing.is_deaf(Sight(1, 0, 0), 40)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        client.delete(QUEUE)


def test_the_watch_ends_its_worker_once(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deafness, "PATIENCE_S", 0.1)
    ended = threading.Event()
    broker.lpush(QUEUE, "a message")
    watch = DeafnessWatch(QUEUE, end=ended.set, look_s=0.05)

    watch.start()

    assert ended.wait(10)
    watch.stop()
