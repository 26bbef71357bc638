"""Looking for unexplained time every second, in one `default` worker: it needs no capture worker."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import close_old_connections

from apps.core.advisory_locks import SILENCE
from apps.core.leases import NO_STEAL_S
from apps.core.locked_loops import LockedLoop
from apps.streams.explaining import explain_silence

logger = logging.getLogger(__name__)

EVERY_S = 1.0
_LATE_S = 3.0


class SilenceWatch:
    """Looks, but not right after a time in which it could not: workers were perhaps as cut off as it was."""

    def __init__(
        self, explain: Callable[[], int] = explain_silence, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._explain = explain
        self._monotonic = monotonic
        self._looked_s: float | None = None
        self._not_before_s = 0.0

    def look(self) -> int:
        """Open what gaps are missing; return how many."""
        now_s = self._monotonic()
        if self._looked_s is None or now_s - self._looked_s > _LATE_S:
            self._not_before_s = now_s + NO_STEAL_S
        self._looked_s = now_s
        if now_s < self._not_before_s:
            return 0
        return self._explain()


def silence_loop() -> LockedLoop:
    """Return the loop that explains what nobody else does."""
    return LockedLoop("silence", SILENCE, _watch)


def _watch(_connection: psycopg.Connection[Any], stopping: threading.Event) -> None:
    watch = SilenceWatch()
    while not stopping.wait(EVERY_S):
        opened = watch.look()
        if opened:
            logger.info("%d streams are recorded by nobody", opened)
        close_old_connections()
