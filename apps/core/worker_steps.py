"""Components that run inside a Celery worker, with or without a broker, where it consumes their queue."""

import logging
import os
import signal
from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings

from omma_engine.supervise import Supervisor

logger = logging.getLogger(__name__)


class Component(Protocol):
    """What runs in threads of its own between `start` and `stop`; `stop` is idempotent and bounded."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


def register(queue: str, name: str, make: Callable[[str], Component]) -> None:
    """Add a component to workers of a queue, in `AppConfig.ready`: before a worker builds its blueprint.

    `make` takes the worker's name.
    """
    if not settings.OMMA_HAS_TASKS:
        return
    from celery import bootsteps, current_app  # not at the top: 6 MB, and commands do without

    class ComponentStep(bootsteps.StartStopStep):
        """Runs the component as long as the worker lives."""

        component: Component | None = None

        def include_if(self, parent: Any) -> bool:
            return queue in parent.app.amqp.queues.consume_from

        def start(self, parent: Any) -> None:
            self.component = make(parent.hostname)
            self.component.start()

        def stop(self, parent: Any) -> None:
            if self.component is not None:
                self.component.stop()

        terminate = stop

    ComponentStep.name = f"omma-{name}"
    current_app.steps["worker"].add(ComponentStep)


def register_supervisor(queue: str, name: str, make: Callable[[str], Supervisor]) -> None:
    """Add a supervisor to workers of a queue; when it fails, the whole worker ends and is started again."""

    def make_with_its_end(worker_name: str) -> Supervisor:
        supervisor = make(worker_name)
        supervisor.on_failure = _end_worker
        return supervisor

    register(queue, name, make_with_its_end)


def _end_worker() -> None:
    """End the worker; its leases are free until it is back."""
    logger.error("a supervisor failed, the worker ends")
    os.kill(os.getpid(), signal.SIGTERM)
