"""The part of the `default` worker that hands out news: one at a time over all workers, woken by NOTIFY."""

import logging
import threading
from typing import Any

import psycopg
from celery import bootsteps
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db import connection as django_connection

from apps.core import outbox, own_connections
from apps.core.advisory_locks import OUTBOX_DISPATCHER, try_lock
from apps.core.outbox_dispatch import Dispatcher

logger = logging.getLogger(__name__)

POLL_S = 1.0
RECONNECT_S = 1.0
STOP_TIMEOUT_S = 3.0


class OutboxLoop:
    """A thread that delivers while it holds the dispatcher's lock."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start delivering in a thread."""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the row at hand. Idempotent and bounded."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def is_healthy(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with own_connections.connect("omma outbox") as listener:
                    self._follow(listener)
            except (psycopg.Error, OperationalError, InterfaceError) as error:
                logger.warning("outbox: the database is away, trying again: %s", str(error).strip())
                django_connection.close()
                self._stopping.wait(RECONNECT_S)
            except Exception:
                logger.exception("outbox: unexpected error, going on")
                self._stopping.wait(RECONNECT_S)
        django_connection.close()

    def _follow(self, listener: psycopg.Connection[Any]) -> None:
        """Deliver until told to stop. The lock belongs to the listening connection and ends with it."""
        dispatcher = Dispatcher()
        while not self._stopping.is_set() and not try_lock(listener, OUTBOX_DISPATCHER):
            self._stopping.wait(POLL_S)
        listener.execute(f"LISTEN {outbox.CHANNEL}")
        while not self._stopping.is_set():
            while dispatcher.deliver() and not self._stopping.is_set():
                continue
            close_old_connections()
            for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                break


class OutboxStep(bootsteps.StartStopStep):
    """Runs the loop inside a worker."""

    name = "omma-outbox"

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._loop = OutboxLoop()

    def start(self, parent: Any) -> None:
        self._loop.start()

    def stop(self, parent: Any) -> None:
        self._loop.stop()

    terminate = stop
