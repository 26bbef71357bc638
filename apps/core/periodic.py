"""Periodic jobs: registered by the apps, scheduled by rows, each slot run once."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.core.exceptions import NotVisibleError
from apps.core.models import PeriodicJob, PeriodicRun
from apps.core.schedules import check_schedule, latest_slot

logger = logging.getLogger(__name__)

RUNS_KEPT = timedelta(days=30)
LOST_AFTER = timedelta(seconds=60)  # a run that no worker began by then was lost with the broker


@dataclass(frozen=True, slots=True)
class Registration:
    """A job as its app declares it. `task` is the dotted name of a function without arguments."""

    name: str
    title: str
    task: str
    schedule: str
    queue: str


_registrations: dict[str, Registration] = {}  # filled once, while the apps get ready


def register(name: str, title: str, task: str, schedule: str, queue: str = "default") -> None:
    """Declare a job, in `AppConfig.ready`. The function may return a line that says what it did."""
    _registrations[name] = Registration(name, title, task, schedule, queue)


def sync_jobs() -> None:
    """Make the row of each job; keep the schedule and the switch that an operator may have changed."""
    for job in _registrations.values():
        check_schedule(job.schedule)
        PeriodicJob.objects.update_or_create(
            name=job.name,
            defaults={"title": job.title, "task": job.task, "queue": job.queue},
            create_defaults={
                "title": job.title, "task": job.task, "queue": job.queue, "schedule": job.schedule,
            },
        )  # fmt: skip
    PeriodicJob.objects.exclude(name__in=_registrations).delete()


def due_runs(now: datetime) -> list[PeriodicRun]:
    """Claim the newest slot of each job that nobody has; after a long sleep only one is made up for."""
    runs = []
    for job in PeriodicJob.objects.filter(is_enabled=True).annotate(last_slot=Max("runs__slot")):
        slot = latest_slot(job.schedule, now)
        if job.last_slot is None or job.last_slot < slot:
            run, is_new = PeriodicRun.objects.get_or_create(job=job, slot=slot)
            if is_new:
                runs.append(run)
    return runs


def lost_runs(now: datetime) -> list[PeriodicRun]:
    """Return claimed runs that no worker has begun, newest slot of each job only."""
    newest = PeriodicJob.objects.annotate(last=Max("runs__slot")).values_list("name", "last")
    waiting = PeriodicRun.objects.filter(started_at=None, slot__lt=now - LOST_AFTER).select_related("job")
    wanted = set(newest)
    return [run for run in waiting if (run.job_id, run.slot) in wanted]


def run_job(name: str, slot: datetime) -> None:
    """Run a job for a slot, unless that has been begun already."""
    run, _ = PeriodicRun.objects.get_or_create(job_id=name, slot=slot)
    started = timezone.now()
    if not PeriodicRun.objects.filter(id=run.id, started_at=None).update(started_at=started):
        return
    job = PeriodicJob.objects.get(name=name)
    begun_s = time.monotonic()
    try:
        message, result = str(import_string(job.task)() or ""), "ok"
    except Exception as error:
        logger.exception("periodic job %s failed", name)
        message, result = f"{type(error).__name__}: {error}", "failed"
    duration_s = round(time.monotonic() - begun_s, 3)
    PeriodicRun.objects.filter(id=run.id).update(
        finished_at=timezone.now(), result=result, message=message[:1000]
    )
    PeriodicJob.objects.filter(name=name).update(
        last_run_at=started, last_duration_s=duration_s, last_result=result, last_message=message[:1000]
    )


def run_now(name: str) -> PeriodicRun:
    """Run a job out of turn; the row says that a person asked for it."""
    from apps.core.tasks import send_run  # a service and its task need each other

    if not PeriodicJob.objects.filter(name=name).exists():
        raise NotVisibleError
    with transaction.atomic():
        run = PeriodicRun.objects.create(job_id=name, slot=timezone.now(), is_manual=True)
        transaction.on_commit(lambda: send_run(run))
    return run


def forget_old_runs(now: datetime | None = None) -> int:
    """Delete runs past their keeping time, but each job's newest; return how many went."""
    limit = (now or timezone.now()) - RUNS_KEPT
    newest = PeriodicJob.objects.annotate(last=Max("runs__id")).values("last")
    count, _ = PeriodicRun.objects.filter(slot__lt=limit).exclude(id__in=newest).delete()
    return count
