"""Beat: sends what is due, from rows. Several may run; one works, by an advisory lock."""

import logging
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from celery.beat import Scheduler
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db import connection as django_connection
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from apps.core import jobs, own_connections, periodic
from apps.core.advisory_locks import BEAT, try_lock
from apps.core.tasks import send_run

logger = logging.getLogger(__name__)

TICK_S = 2.0
RETRY_S = 5.0


class PeriodicJobScheduler(Scheduler):
    """Celery's beat with the schedule in Postgres. It keeps nothing of its own between ticks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lock_connection: psycopg.Connection[Any] | None = None
        self._is_synced = False
        self._resent: dict[int, datetime] = {}
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Keep Celery's own schedule empty: rows say what is due."""
        self.schedule: dict[str, Any] = {}

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return how long to sleep."""
        self._show_life()
        try:
            if not self._holds_lock():
                return RETRY_S
            self._send_due()
        except (psycopg.Error, OperationalError, InterfaceError) as error:
            logger.warning("beat: the database is away, trying again: %s", str(error).strip())
            self._forget_connections()
            return RETRY_S
        except (BrokerError, OSError) as error:
            logger.warning("beat: the broker is away, trying again: %s", error)
            return RETRY_S
        return TICK_S

    def close(self) -> None:
        self._forget_connections()
        super().close()

    def _show_life(self) -> None:
        """Touch the file that the health check of the container looks at."""
        folder = Path(settings.OMMA_DATA_DIR) / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"beat-{socket.gethostname()}.alive").touch()

    def _send_due(self) -> None:
        if not self._is_synced:
            periodic.sync_jobs()
            self._is_synced = True
        now = timezone.now()
        for run in periodic.due_runs(now):
            send_run(run)
        self._send_lost(now)
        jobs.nudge_waiting(now)

    def _send_lost(self, now: datetime) -> None:
        """Send again what the broker lost, once in a while: a busy worker has it still."""
        lost = {run.id: run for run in periodic.lost_runs(now)}
        self._resent = {run_id: at for run_id, at in self._resent.items() if run_id in lost}
        for run_id, run in lost.items():
            if now - self._resent.get(run_id, run.slot) >= periodic.LOST_AFTER:
                self._resent[run_id] = now
                send_run(run)

    def _holds_lock(self) -> bool:
        if self._lock_connection is None:
            self._lock_connection = own_connections.connect("omma beat")
            if not try_lock(self._lock_connection, BEAT):
                self._forget_connections()
                return False
        self._lock_connection.execute("SELECT 1")
        return True

    def _forget_connections(self) -> None:
        if self._lock_connection is not None:
            self._lock_connection.close()
            self._lock_connection = None
        django_connection.close()
