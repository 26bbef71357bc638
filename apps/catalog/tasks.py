"""What the job queue calls for models; light, because every process registers it."""

from typing import Any

from apps.core import jobs
from apps.core.models import Task


@jobs.handler("model.convert")
def convert(task: Task) -> dict[str, Any]:
    """Take a turn at a conversion."""
    from apps.catalog.conversions import run_conversion  # the engine's model side comes with it

    return run_conversion(task)


@jobs.handler("model.train")
def train(task: Task) -> dict[str, Any]:
    """Take a turn at a training."""
    from apps.catalog.trainings import run_training

    return run_training(task)
