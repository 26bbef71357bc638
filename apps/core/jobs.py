"""Long jobs: the `Task` row is the truth and the queue only a nudge, so a repeat or a loss does no harm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from apps.core import outbox
from apps.core.exceptions import OmmaError
from apps.core.models import Task, TaskState
from apps.core.signs_of_life import signs_of_life

logger = logging.getLogger(__name__)

WAITED = timedelta(seconds=30)
SILENT = timedelta(seconds=40)  # its worker is gone, or as good as
MAX_ATTEMPTS = 3


class Unfinished(Exception):  # noqa: N818 - no error: the way a handler ends its turn
    """Raised by a handler that has kept how far it came: the job goes on in another turn, after `wait`."""

    def __init__(self, wait: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.wait = wait


Result = dict[str, Any] | None
Run = Callable[[Task], Result]


@dataclass(frozen=True, slots=True)
class JobKind:
    """What runs a kind of job, and on which queue."""

    run: Run
    queue: str


_kinds: dict[str, JobKind] = {}  # filled once, when the apps' tasks are imported


def handler(kind: str, *, queue: str = "default") -> Callable[[Run], Run]:
    """Register what runs a kind of job. It is idempotent; what it returns becomes the row's result."""

    def add(run: Run) -> Run:
        _kinds[kind] = JobKind(run, queue)
        return run

    return add


def enqueue(
    kind: str,
    unique_key: str,
    parameters: dict[str, Any] | None = None,
    *,
    account_id: UUID | None = None,
    camera_id: UUID | None = None,
    created_by: UUID | None = None,
) -> Task:
    """Make the job's row, or return the one that this key already has, and nudge a worker on commit."""
    with transaction.atomic():
        task, is_new = Task.objects.get_or_create(
            unique_key=unique_key,
            defaults={
                "kind": kind, "parameters": parameters or {}, "enqueued_at": timezone.now(),
                "account_id": account_id, "camera_id": camera_id, "created_by": created_by,
            },
        )  # fmt: skip
        if is_new:
            _announce(task, "task.created")
            transaction.on_commit(lambda: _nudge(task))
    return task


def retry(task: Task) -> bool:
    """Put a failed or cancelled job back; tell whether it was one."""
    with transaction.atomic():
        changed = Task.objects.filter(id=task.id, state__in=[TaskState.FAILED, TaskState.CANCELLED]).update(
            state=TaskState.PENDING,
            attempts=0,
            error="",
            progress=0,
            enqueued_at=timezone.now(),
            finished_at=None,
        )
        if changed:
            task.refresh_from_db()
            _announce(task)
            transaction.on_commit(lambda: _nudge(task))
    return bool(changed)


def cancel(task: Task) -> bool:
    """Cancel a job that has not begun; tell whether it was one."""
    with transaction.atomic():
        changed = Task.objects.filter(id=task.id, state=TaskState.PENDING).update(
            state=TaskState.CANCELLED, finished_at=timezone.now()
        )
        if changed:
            task.refresh_from_db()
            _announce(task)
    return bool(changed)


def run_task(task_id: UUID) -> None:
    """Run a waiting job; do nothing when it is not waiting (any more)."""
    claimed = Task.objects.filter(id=task_id, state=TaskState.PENDING, kind__in=_kinds).update(
        state=TaskState.RUNNING, started_at=timezone.now(), heard_at=Now(), attempts=F("attempts") + 1
    )
    if not claimed:
        return
    task = Task.objects.get(id=task_id)
    try:
        with signs_of_life(task):
            result = _kinds[task.kind].run(task)
    except Unfinished as turn:
        _go_on(task, turn.wait)
    except OmmaError as error:
        is_final = not error.is_retryable or task.attempts >= MAX_ATTEMPTS
        _finish(task, TaskState.FAILED if is_final else TaskState.PENDING, error=error.message)
    except Exception as error:
        logger.exception("job %s (%s) failed", task.kind, task.id)
        is_final = task.attempts >= MAX_ATTEMPTS
        _finish(
            task,
            TaskState.FAILED if is_final else TaskState.PENDING,
            error=f"{type(error).__name__}: {error}",
        )
    else:
        _finish(task, TaskState.DONE, result=result or {})


def report_progress(task: Task, progress: float) -> None:
    """Say how far a job is, 0 to 1; it never goes back, though a part of it may count from the start."""
    share = Value(min(max(progress, 0.0), 1.0))
    with transaction.atomic():
        _this_run(task).update(progress=Greatest(F("progress"), share), heard_at=Now())
        _announce(task)


def nudge_waiting(now: datetime) -> int:
    """Nudge jobs that have waited too long, and put back those whose worker is gone; return how many."""
    mine = Task.objects.filter(kind__in=_kinds)
    stuck = mine.filter(state=TaskState.RUNNING).annotate(heard=Coalesce("heard_at", "started_at"))
    stuck = stuck.filter(heard__lt=Now() - SILENT)  # the database's clock, as where it is written
    stuck.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=TaskState.FAILED, error="its worker ended before it did", finished_at=now
    )
    stuck.update(state=TaskState.PENDING, enqueued_at=now - WAITED)
    waiting = mine.filter(Q(enqueued_at=None) | Q(enqueued_at__lte=now - WAITED), state=TaskState.PENDING)
    tasks = list(waiting.order_by("id")[:100])
    for task in tasks:
        Task.objects.filter(id=task.id).update(enqueued_at=now)
        _nudge(task)
    return len(tasks)


def _finish(task: Task, state: TaskState, *, result: dict[str, Any] | None = None, error: str = "") -> None:
    is_over = state is not TaskState.PENDING
    with transaction.atomic():
        _this_run(task).update(
            state=state,
            result=result or {},
            error=error[:2000],
            progress=1.0 if state is TaskState.DONE else task.progress,
            enqueued_at=timezone.now(),
            finished_at=timezone.now() if is_over else None,
        )
        task.refresh_from_db()
        _announce(task)


def _go_on(task: Task, wait: timedelta) -> None:
    """Put a job that did its share back; getting on is no failed attempt."""
    with transaction.atomic():
        _this_run(task).update(state=TaskState.PENDING, attempts=0, enqueued_at=timezone.now() + wait)
        if not wait:  # else it is nudged when it has waited too long
            transaction.on_commit(lambda: _nudge(task))


def _this_run(task: Task) -> QuerySet[Task]:
    """Return the row while it is this very run's; one that was silent for too long is another's."""
    return Task.objects.filter(id=task.id, state=TaskState.RUNNING, started_at=task.started_at)


def _announce(task: Task, kind: str = "task.updated") -> None:
    outbox.publish(
        kind,
        subject_kind="task",
        subject_id=task.id,
        account_id=task.account_id,
        camera_ids=[task.camera_id] if task.camera_id else [],
    )


def _nudge(task: Task) -> None:
    """Send the job's id to its queue; when the broker is away, beat does it later."""
    kind = _kinds.get(task.kind)
    if kind is None or not settings.OMMA_HAS_TASKS:
        return  # a supervisor leases this kind, or this process sends nothing: beat does
    from kombu.exceptions import OperationalError as BrokerError

    from apps.core.tasks import run_task as message  # a service and its task need each other

    try:
        message.apply_async((str(task.id),), queue=kind.queue, retry=False)
    except (BrokerError, OSError) as error:
        logger.warning("job %s waits for the broker: %s", task.id, error)
