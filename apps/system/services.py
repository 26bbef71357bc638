"""What people do to the system itself: run a job now, switch it, cancel or repeat a task."""

from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.core import audit, jobs, periodic
from apps.core.exceptions import ConflictError, ForbiddenError
from apps.core.models import PeriodicJob, PeriodicRun, Task
from apps.core.schedules import check_schedule


@transaction.atomic
def run_job_now(*, actor: Actor, job: PeriodicJob) -> PeriodicRun:
    """Run a periodic job out of turn; only a superuser may, as it concerns every account."""
    _require_superuser(actor)
    run = periodic.run_now(job.name)
    audit.record(actor.ref(), "job.run", subject_kind="job", subject_name=job.name)
    return run


@transaction.atomic
def change_job(
    *, actor: Actor, job: PeriodicJob, is_enabled: bool | None = None, schedule: str | None = None
) -> PeriodicJob:
    """Switch a periodic job on or off, or give it another schedule."""
    _require_superuser(actor)
    if schedule is not None:
        check_schedule(schedule)
        job.schedule = schedule
    if is_enabled is not None:
        job.is_enabled = is_enabled
    job.save(update_fields=["schedule", "is_enabled"])
    detail: dict[str, object] = {"is_enabled": job.is_enabled, "schedule": job.schedule}
    audit.record(actor.ref(), "job.updated", subject_kind="job", subject_name=job.name, detail=detail)
    return job


@transaction.atomic
def cancel_task(*, actor: Actor, task: Task) -> Task:
    """Cancel a task that has not begun."""
    require(actor, Action.RECORD, _resource_of(task))
    if not jobs.cancel(task):
        raise ConflictError("Only a task that waits can be cancelled.")
    _record(actor, "task.cancelled", task)
    return task


@transaction.atomic
def retry_task(*, actor: Actor, task: Task) -> Task:
    """Put a failed or cancelled task back into its queue."""
    require(actor, Action.RECORD, _resource_of(task))
    if not jobs.retry(task):
        raise ConflictError("Only a failed or cancelled task can be repeated.")
    _record(actor, "task.retried", task)
    return task


def _resource_of(task: Task) -> Resource:
    return Resource(task.account_id, frozenset({task.camera_id}) if task.camera_id else frozenset())


def _require_superuser(actor: Actor) -> None:
    if not actor.is_superuser:
        raise ForbiddenError("Only a superuser may do this.")


def _record(actor: Actor, action: str, task: Task) -> None:
    audit.record(
        actor.ref(),
        action,
        subject_kind="task",
        subject_id=task.pk,
        subject_name=task.kind,
        account_id=task.account_id,
    )
