"""A worker that no longer hears its broker ends, and is started again.

After a broker came back, a client may hold a connection on which nothing arrives any more: messages wait, the
worker idles, and nothing says so. Here each worker looks, over a connection of its own, how many messages
wait in its queue; when some do all the while that it does nothing, for `PATIENCE_S`, it is deaf.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from celery.worker import state as worker_state
from django.conf import settings

logger = logging.getLogger(__name__)

PATIENCE_S = 30.0
LOOK_S = 5.0
_GRACE_S = 10.0  # between the request to end and the end without asking
_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen at one moment: messages that wait, tasks in hand, and tasks ever taken."""

    waiting: int
    in_hand: int
    taken: int


class Hearing:
    """Judges a series of sights."""

    def __init__(self) -> None:
        self._taken = -1
        self._idle_since_s: float | None = None

    def is_deaf(self, sight: Sight, now_s: float) -> bool:
        """Tell whether messages have waited for too long beside an idle worker."""
        is_idle = sight.waiting > 0 and sight.in_hand == 0 and sight.taken == self._taken
        self._taken = sight.taken
        if not is_idle:
            self._idle_since_s = None
            return False
        if self._idle_since_s is None:
            self._idle_since_s = now_s
        return now_s - self._idle_since_s >= PATIENCE_S

    def forget(self) -> None:
        """Begin afresh: the broker was away, and a worker may take its time to come back to it."""
        self._idle_since_s = None


class DeafnessWatch:
    """Watches one queue's worker from a thread of its own, between `start` and `stop`."""

    def __init__(self, queue: str, *, end: Callable[[], None] | None = None, look_s: float = LOOK_S) -> None:
        self._queue = queue
        self._end = end or _end_worker
        self._look_s = look_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"hearing-{self._queue}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_TIMEOUT_S + 1)

    def _run(self) -> None:
        hearing = Hearing()
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        ) as broker:
            while not self._stopping.wait(self._look_s):
                try:
                    waiting = int(broker.llen(self._queue))
                except redis.RedisError:
                    hearing.forget()
                    continue
                if hearing.is_deaf(_sight(waiting), time.monotonic()):
                    logger.error(
                        "%d messages wait in %s and none arrives, the worker ends", waiting, self._queue
                    )
                    self._end()
                    return


def watch_of(queue: str) -> Callable[[str], DeafnessWatch]:
    """Return what makes a watch of this queue for a worker of any name."""
    return lambda _worker: DeafnessWatch(queue)


def _sight(waiting: int) -> Sight:
    in_hand = len(worker_state.active_requests) + len(worker_state.reserved_requests)
    return Sight(waiting, in_hand, sum(worker_state.total_count.values()))


def _end_worker() -> None:
    """Ask the worker to end, and end it if it hangs."""
    last_resort = threading.Timer(_GRACE_S, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()
    os.kill(os.getpid(), signal.SIGTERM)
