"""The part of an `inference` worker that holds the supervisor."""

import logging
import os
import signal
from typing import Any

from celery import bootsteps

from apps.inference.hosting import inference_supervisor
from omma_engine.supervise import Supervisor

logger = logging.getLogger(__name__)


class InferenceStep(bootsteps.StartStopStep):
    """Runs the supervisor of analytics as long as the worker lives, with or without a broker."""

    name = "omma-inference"

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._supervisor: Supervisor | None = None

    def start(self, parent: Any) -> None:
        self._supervisor = inference_supervisor(parent.hostname)
        self._supervisor.on_failure = _end_worker
        self._supervisor.start()

    def stop(self, parent: Any) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()

    terminate = stop


def _end_worker() -> None:
    """End the whole worker: it is started again, and its leases are free until then."""
    logger.error("the supervisor of analytics failed, the worker ends")
    os.kill(os.getpid(), signal.SIGTERM)
