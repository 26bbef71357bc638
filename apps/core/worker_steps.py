"""Parts that run inside a Celery worker, each only where the worker consumes the part's queue."""

from typing import Any

from celery import current_app


def register(queue: str, step: type[Any]) -> None:
    """Add a step to workers of a queue, in `AppConfig.ready`: before a worker builds its blueprint."""

    def include_if(self: Any, worker: Any) -> bool:
        return queue in worker.app.amqp.queues.consume_from

    gated = type(step.__name__, (step,), {"include_if": include_if, "__module__": step.__module__})
    current_app.steps["worker"].add(gated)
