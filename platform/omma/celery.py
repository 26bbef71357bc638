"""The Celery application: queues, workers and beat. Tasks and worker steps are found in the apps."""

import ctypes
import os
import signal
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init

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
