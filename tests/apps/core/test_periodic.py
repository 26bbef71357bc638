"""Periodic jobs: due by their rows, each slot run once, and what happened is written down."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.core import periodic, tasks
from apps.core.exceptions import InvalidInputError
from apps.core.models import PeriodicJob, PeriodicRun
from apps.core.schedules import check_schedule, latest_slot

NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)  # a Monday

pytestmark = pytest.mark.django_db

ran: list[str] = []


def work() -> str:
    ran.append("work")
    return "3 things"


def fail() -> None:
    raise ValueError("no disk")


@pytest.fixture
def job() -> PeriodicJob:
    ran.clear()
    return PeriodicJob.objects.create(name="t", title="T", task=f"{__name__}.work", schedule="60")


@pytest.mark.parametrize(
    ("schedule", "slot"),
    [
        ("60", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("30 3 * * *", datetime(2026, 3, 2, 3, 30, tzinfo=UTC)),
        ("0 18 * * 0", datetime(2026, 3, 1, 18, 0, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2024, 2, 29, 0, 0, tzinfo=UTC)),
    ],
)
def test_the_newest_slot_of_a_schedule(schedule: str, slot: datetime) -> None:
    assert latest_slot(schedule, NOON) == slot


@pytest.mark.parametrize("schedule", ["", "0", "often", "61 * * * *", "* * * *", "0 0 31 2 *"])
def test_a_bad_schedule_is_refused_by_name(schedule: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_schedule(schedule)

    assert caught.value.field == "schedule"


@pytest.mark.fault("F48")
def test_two_beats_claim_a_slot_once(job: PeriodicJob) -> None:
    first, second = periodic.due_runs(NOON), periodic.due_runs(NOON)

    assert [run.slot for run in first] == [datetime(2026, 3, 2, 12, 0, tzinfo=UTC)]
    assert second == []


def test_a_long_sleep_is_made_up_for_once(job: PeriodicJob) -> None:
    periodic.due_runs(NOON)

    assert len(periodic.due_runs(NOON + timedelta(hours=5))) == 1


def test_a_switched_off_job_is_never_due(job: PeriodicJob) -> None:
    PeriodicJob.objects.update(is_enabled=False)

    assert periodic.due_runs(NOON) == []


@pytest.mark.fault("F45", "F48")
def test_a_slot_runs_once_and_says_how_it_went(job: PeriodicJob) -> None:
    periodic.run_job("t", NOON)
    periodic.run_job("t", NOON)

    job.refresh_from_db()
    assert ran == ["work"]
    assert (job.last_result, job.last_message) == ("ok", "3 things")
    assert job.last_duration_s is not None


def test_a_failure_is_written_down_and_raises_nothing(job: PeriodicJob) -> None:
    PeriodicJob.objects.update(task=f"{__name__}.fail")

    periodic.run_job("t", NOON)

    run = PeriodicRun.objects.get()
    assert (run.result, run.message) == ("failed", "ValueError: no disk")


@pytest.mark.fault("F43")
def test_a_run_that_the_broker_lost_is_found(job: PeriodicJob) -> None:
    (run,) = periodic.due_runs(NOON)

    assert periodic.lost_runs(NOON) == []
    assert periodic.lost_runs(NOON + timedelta(seconds=62)) == [run]


def test_an_operators_schedule_outlives_an_update(job: PeriodicJob) -> None:
    periodic.sync_jobs()
    PeriodicJob.objects.filter(name="clean-up").update(schedule="5", is_enabled=False)

    periodic.sync_jobs()

    row = PeriodicJob.objects.get(name="clean-up")
    assert (row.schedule, row.is_enabled) == ("5", False)
    assert not PeriodicJob.objects.filter(name="t").exists()


def test_run_now_sends_the_job(
    job: PeriodicJob, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    send = tasks.run_periodic_job
    monkeypatch.setattr(send, "apply_async", lambda arguments, **_: send(*arguments))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        run = periodic.run_now("t")

    run.refresh_from_db()
    assert run.is_manual
    assert run.result == "ok"


def test_old_runs_are_forgotten_but_the_newest(job: PeriodicJob) -> None:
    for days in (40, 50):
        PeriodicRun.objects.create(job=job, slot=timezone.now() - timedelta(days=days))

    assert periodic.forget_old_runs() == 1
