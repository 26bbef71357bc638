"""The component that sends: threads that claim targets, woken by NOTIFY and looking twice a second.

Targets that failed last time have threads of their own, so that those that hang hold up nobody else.
"""

import logging
import threading

import psycopg
from django.db import InterfaceError, OperationalError, connection

from apps.alerts import sending
from apps.alerts.queueing import CHANNEL
from apps.core import own_connections

logger = logging.getLogger(__name__)

HEALTHY_THREADS = 12
TROUBLED_THREADS = 8
POLL_S = 0.5
RETRY_S = 1.0
STOP_TIMEOUT_S = 3.0


class Lane:
    """Threads for one kind of targets; each goes on as long as there is something to claim."""

    def __init__(self, name: str, threads: int, *, troubled: bool) -> None:
        self._name = f"alerts-{name}"
        self._free = threading.Semaphore(threads)
        self._troubled = troubled
        self._stopping = threading.Event()

    def look(self) -> None:
        """Claim in this thread and send in others, until nothing is left or all threads are busy."""
        while not self._stopping.is_set() and self._free.acquire(blocking=False):
            claim = sending.claim_next(troubled=self._troubled)
            if claim is None:
                self._free.release()
                return
            # A daemon thread: one that waits for an answer must not keep the process from ending.
            threading.Thread(target=self._work, args=(claim,), name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; what is being sent ends by itself, or with the process."""
        self._stopping.set()

    def _work(self, claim: sending.Claim) -> None:
        current: sending.Claim | None = claim
        try:
            while current is not None:
                sending.run(current, keeps_connection=not self._troubled)
                is_over = self._stopping.is_set()
                current = None if is_over else sending.claim_next(troubled=self._troubled)
        except (OperationalError, InterfaceError) as error:
            logger.warning("alerts: the database is away: %s", str(error).strip())
        finally:
            connection.close()
            self._free.release()


class Sender:
    """Sends what waits, from `start` to `stop`; several processes share the targets by claims."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lanes: list[Lane] = []

    def start(self) -> None:
        """Start in threads."""
        self._lanes = [
            Lane("healthy", HEALTHY_THREADS, troubled=False),
            Lane("troubled", TROUBLED_THREADS, troubled=True),
        ]
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop claiming. Idempotent and bounded."""
        self._stopping.set()
        for lane in self._lanes:
            lane.stop()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def is_healthy(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with own_connections.connect("omma alerts") as listener:
                    listener.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        self._look()
                        for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                            break
            except (psycopg.Error, OperationalError, InterfaceError) as error:
                logger.warning("alerts: the database is away, trying again: %s", str(error).strip())
                self._stopping.wait(RETRY_S)
            except Exception:
                logger.exception("alerts: unexpected error, going on")
                self._stopping.wait(RETRY_S)
            connection.close()

    def _look(self) -> None:
        for lane in self._lanes:
            lane.look()
