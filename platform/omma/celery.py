"""The Celery application: queues, workers and beat. Tasks and worker steps are found in the apps."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_process_init, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omma.settings.dev")

app = Celery("omma")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave logging as the settings have it."""


@worker_process_init.connect
def die_with_worker(**_: Any) -> None:
    """End a pool process with its worker, also when that one is killed."""
    if sys.platform.startswith("linux"):
        parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, int(signal.SIGKILL), 0, 0, 0)


class PromptEnd(bootsteps.StartStopStep):
    """Lets a worker's loop hear at once that it shall end; else it waits for its broker first."""

    requires = ("celery.worker.components:Hub",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        worker_shutting_down.connect(self._ring)

    def register_with_event_loop(self, parent: Any, hub: Any) -> None:
        """Be listened to. Called again after each loss of the broker."""
        hub.add_reader(self._ear, self._still)

    def stop(self, parent: Any) -> None:
        self._bell.close()
        self._ear.close()

    terminate = stop

    def _ring(self, **_: Any) -> None:
        """In the signal's handler."""
        with contextlib.suppress(OSError):
            self._bell.send(b"!")

    def _still(self) -> None:
        with contextlib.suppress(OSError):
            self._ear.recv(64)


app.steps["worker"].add(PromptEnd)
