"""Tasks of the core: thin, and carrying ids only."""

from datetime import datetime
from uuid import UUID

from celery import shared_task

from apps.core.models import PeriodicRun


@shared_task(name="core.run_periodic_job", ignore_result=True)
def run_periodic_job(name: str, slot: str) -> None:
    from apps.core.periodic import run_job

    run_job(name, datetime.fromisoformat(slot))


@shared_task(name="core.run_task", ignore_result=True)
def run_task(task_id: str) -> None:
    from apps.core import jobs

    jobs.run_task(UUID(task_id))


def send_run(run: PeriodicRun) -> None:
    """Send a periodic job's run to its queue; raises what the broker's client raises."""
    run_periodic_job.apply_async((run.job_id, run.slot.isoformat()), queue=run.job.queue, retry=False)
