"""Handing out news: one worker at a time, woken by NOTIFY, and once a second."""

import threading
from typing import Any

import psycopg
from django.db import close_old_connections

from apps.core import outbox
from apps.core.advisory_locks import OUTBOX_DISPATCHER
from apps.core.locked_loops import LockedLoop
from apps.core.outbox_dispatch import Dispatcher

POLL_S = 1.0


def outbox_loop() -> LockedLoop:
    """Return the loop that delivers news to its subscribers."""
    return LockedLoop("outbox", OUTBOX_DISPATCHER, _deliver)


def _deliver(listener: psycopg.Connection[Any], stopping: threading.Event) -> None:
    dispatcher = Dispatcher()
    listener.execute(f"LISTEN {outbox.CHANNEL}")
    while not stopping.is_set():
        while dispatcher.deliver() and not stopping.is_set():
            continue
        close_old_connections()
        for _ in listener.notifies(timeout=POLL_S, stop_after=1):
            break
