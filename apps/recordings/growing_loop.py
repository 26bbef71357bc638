"""Growing and closing recordings: one worker at a time, every two seconds."""

import threading
from typing import Any

import psycopg
from django.db import close_old_connections
from django.utils import timezone

from apps.core.advisory_locks import RECORDINGS
from apps.core.locked_loops import LockedLoop
from apps.recordings.growing import grow, growing_ids

PERIOD_S = 2.0


def growing_loop() -> LockedLoop:
    """Return the loop that looks after growing recordings."""
    return LockedLoop("recordings", RECORDINGS, _look_after)


def _look_after(lock: psycopg.Connection[Any], stopping: threading.Event) -> None:
    while not stopping.is_set():
        lock.execute("SELECT 1")  # the lock ends with its connection
        close_old_connections()
        for recording_id in growing_ids():
            grow(recording_id, timezone.now())
        stopping.wait(PERIOD_S)
