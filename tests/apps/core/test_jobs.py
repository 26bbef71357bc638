"""Long jobs: one row a key, run once, retried when that may help, and never forgotten by a lost message."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import jobs, signs_of_life
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


@pytest.mark.fault("F46")
def test_a_worker_that_is_silent_for_forty_seconds_loses_its_job_and_one_that_speaks_keeps_it(
    outcomes: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_nudge", lambda task: None)
    silent, speaking = jobs.enqueue("test", "silent"), jobs.enqueue("test", "speaking")
    long_ago = timezone.now() - timedelta(hours=1)
    running = Task.objects.filter(kind="test")
    running.update(state=TaskState.RUNNING, started_at=long_ago, attempts=1)
    for task, silence_s in ((silent, 45), (speaking, 25)):
        running.filter(pk=task.pk).update(heard_at=timezone.now() - timedelta(seconds=silence_s))

    assert jobs.nudge_waiting(timezone.now()) == 1

    states = {task.unique_key: task.state for task in running}
    assert states == {"silent": TaskState.PENDING, "speaking": TaskState.RUNNING}


def test_a_run_that_lost_its_job_cannot_end_it(outcomes: list[object]) -> None:
    task = jobs.enqueue("test", "k")

    def be_late(late: Task) -> dict[str, object]:
        Task.objects.filter(pk=late.pk).update(started_at=timezone.now())  # another worker has it now
        jobs.report_progress(late, 0.9)
        return {}

    jobs.handler("test")(be_late)
    jobs.run_task(task.id)

    task.refresh_from_db()
    assert (task.state, task.progress) == (TaskState.RUNNING, 0.0)


def test_progress_never_goes_back(outcomes: list[object]) -> None:
    told = []

    def work_in_parts(task: Task) -> dict[str, object]:
        for share in (0.3, 0.0, 0.5):
            jobs.report_progress(task, share)
            told.append(Task.objects.get(pk=task.pk).progress)
        return {}

    jobs.handler("test")(work_in_parts)
    jobs.run_task(jobs.enqueue("test", "k").id)

    assert told == [0.3, 0.3, 0.5]


@pytest.mark.django_db(transaction=True)
def test_a_running_job_says_that_it_lives(outcomes: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs_of_life, "EVERY_S", 0.05)
    task = jobs.enqueue("test", "k")

    def work(task: Task) -> dict[str, object]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if Task.objects.filter(pk=task.pk, heard_at__gt=task.heard_at).exists():
                return {"was": "heard"}
            time.sleep(0.02)
        return {}

    jobs.handler("test")(work)
    jobs.run_task(task.id)

    task.refresh_from_db()
    assert task.result == {"was": "heard"}


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
