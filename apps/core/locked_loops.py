"""Work that exactly one worker does at a time: a thread that holds an advisory lock while it works."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError
from django.db import connection as django_connection

from apps.core import own_connections
from apps.core.advisory_locks import try_lock

logger = logging.getLogger(__name__)

RETRY_S = 1.0
STOP_TIMEOUT_S = 3.0


class LockedLoop:
    """Waits for a lock, and then calls `work(connection, stopping)` until told to stop.

    The lock belongs to `connection`, a connection of its own, and ends with it. `work` returns when
    `stopping` is set; whatever it raises is logged, and it is called again under a new connection.
    """

    def __init__(
        self, name: str, lock: int, work: Callable[[psycopg.Connection[Any], threading.Event], None]
    ) -> None:
        self._name = name
        self._lock = lock
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start in a thread."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the piece of work at hand. Idempotent and bounded."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def is_healthy(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with own_connections.connect(f"omma {self._name}") as connection:
                    self._work_while_locked(connection)
            except (psycopg.Error, OperationalError, InterfaceError) as error:
                logger.warning("%s: the database is away, trying again: %s", self._name, str(error).strip())
                self._stopping.wait(RETRY_S)
            except Exception:
                logger.exception("%s: unexpected error, going on", self._name)
                self._stopping.wait(RETRY_S)
            django_connection.close()

    def _work_while_locked(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stopping.is_set() and not try_lock(connection, self._lock):
            self._stopping.wait(RETRY_S)
        if not self._stopping.is_set():
            self._work(connection, self._stopping)
