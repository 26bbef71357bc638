"""Long jobs: one row a key, run once, retried when that may help, and never forgotten by a lost message."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import jobs
from apps.core.exceptions import InvalidInputError, UnavailableError
from apps.core.models import Outbox, Task, TaskState

pytestmark = pytest.mark.django_db


@pytest.fixture
def outcomes() -> Iterator[list[object]]:
    """Register a kind whose runs take the next outcome: an error to raise or a result."""
    left: list[object] = []

    def run(task: Task) -> dict[str, object]:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return {"was": outcome}

    jobs.handler("test")(run)
    yield left
    del jobs._kinds["test"]


def test_a_key_has_one_job(outcomes: list[object]) -> None:
    assert jobs.enqueue("test", "k") == jobs.enqueue("test", "k")
    assert Outbox.objects.filter(kind="task.created").count() == 1


@pytest.mark.fault("F45")
def test_a_job_runs_once_and_keeps_its_result(outcomes: list[object]) -> None:
    outcomes[:] = ["first", "second"]
    task = jobs.enqueue("test", "k")

    jobs.run_task(task.id)
    jobs.run_task(task.id)

    task.refresh_from_db()
    assert (task.state, task.result, task.progress) == (TaskState.DONE, {"was": "first"}, 1.0)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (InvalidInputError("bad range"), TaskState.FAILED),
        (UnavailableError("the disk is away"), TaskState.PENDING),
        (ValueError("bug"), TaskState.PENDING),
    ],
)
def test_only_what_may_pass_is_tried_again(
    outcomes: list[object], error: Exception, state: TaskState
) -> None:
    outcomes[:] = [error]
    task = jobs.enqueue("test", "k")

    jobs.run_task(task.id)

    task.refresh_from_db()
    assert task.state == state
    assert str(error) in task.error


def test_tries_have_an_end(outcomes: list[object]) -> None:
    outcomes[:] = [ValueError("bug")] * jobs.MAX_ATTEMPTS
    task = jobs.enqueue("test", "k")

    for _ in range(jobs.MAX_ATTEMPTS + 1):
        jobs.run_task(task.id)

    task.refresh_from_db()
    assert (task.state, task.attempts) == (TaskState.FAILED, jobs.MAX_ATTEMPTS)


@pytest.mark.fault("F43")
def test_a_lost_message_is_sent_again(outcomes: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Task] = []
    monkeypatch.setattr(jobs, "_nudge", sent.append)
    task = jobs.enqueue("test", "k")

    assert jobs.nudge_waiting(timezone.now()) == 0
    assert jobs.nudge_waiting(timezone.now() + timedelta(seconds=31)) == 1
    assert sent == [task]


@pytest.mark.fault("F46")
def test_a_job_whose_worker_died_is_put_back(outcomes: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_nudge", lambda task: None)
    task = jobs.enqueue("test", "k")
    Task.objects.update(state=TaskState.RUNNING, started_at=timezone.now() - timedelta(hours=1), attempts=1)

    assert jobs.nudge_waiting(timezone.now()) == 1

    task.refresh_from_db()
    assert task.state == TaskState.PENDING


def test_a_job_can_be_cancelled_before_it_runs_and_retried(outcomes: list[object]) -> None:
    outcomes[:] = ["now"]
    task = jobs.enqueue("test", "k")

    assert jobs.cancel(task)
    jobs.run_task(task.id)
    assert not jobs.cancel(task)
    assert jobs.retry(task)
    jobs.run_task(task.id)

    task.refresh_from_db()
    assert task.state == TaskState.DONE


def test_a_job_that_is_not_finished_goes_on_without_a_failed_attempt(outcomes: list[object]) -> None:
    outcomes[:] = [UnavailableError("away"), jobs.Unfinished(), "done"]
    task = jobs.enqueue("test", "k")

    jobs.run_task(task.id)
    jobs.run_task(task.id)
    task.refresh_from_db()
    assert (task.state, task.attempts, task.finished_at) == (TaskState.PENDING, 0, None)

    jobs.run_task(task.id)
    task.refresh_from_db()
    assert (task.state, task.result) == (TaskState.DONE, {"was": "done"})
