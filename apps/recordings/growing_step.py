"""The part of the `default` worker that grows and closes recordings, one at a time over all workers."""

import logging
import threading
from typing import Any

import psycopg
from celery import bootsteps
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db import connection as django_connection
from django.utils import timezone

from apps.core import own_connections
from apps.core.advisory_locks import RECORDINGS, try_lock
from apps.recordings.growing import grow, growing_ids

logger = logging.getLogger(__name__)

PERIOD_S = 2.0
STOP_TIMEOUT_S = 3.0


class GrowingLoop:
    """A thread that looks after growing recordings while it holds the lock for it."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start in a thread."""
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the recording at hand. Idempotent and bounded."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def is_healthy(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with own_connections.connect("omma recordings") as lock:
                    self._look_after(lock)
            except (psycopg.Error, OperationalError, InterfaceError) as error:
                logger.warning("recordings: the database is away, trying again: %s", str(error).strip())
                self._stopping.wait(PERIOD_S)
            except Exception:
                logger.exception("recordings: unexpected error, going on")
                self._stopping.wait(PERIOD_S)
            django_connection.close()

    def _look_after(self, lock: psycopg.Connection[Any]) -> None:
        while not self._stopping.is_set() and not try_lock(lock, RECORDINGS):
            self._stopping.wait(PERIOD_S)
        while not self._stopping.is_set():
            lock.execute("SELECT 1")  # the lock ends with its connection
            close_old_connections()
            for recording_id in growing_ids():
                grow(recording_id, timezone.now())
            self._stopping.wait(PERIOD_S)


class GrowingStep(bootsteps.StartStopStep):
    """Runs the loop inside a worker."""

    name = "omma-recordings"

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._loop = GrowingLoop()

    def start(self, parent: Any) -> None:
        self._loop.start()

    def stop(self, parent: Any) -> None:
        self._loop.stop()

    terminate = stop
