"""Health, status, tasks, jobs and the audit trail."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.access import actor_of_scope
from apps.accounts.actors import actor_of_user
from apps.accounts.models import Member
from apps.core import audit, periodic, representations
from apps.core.models import AuditEntry, Lease, Node, PeriodicJob, PeriodicRun, Task, TaskState
from apps.streams.models import Source
from tests import factories

pytestmark = pytest.mark.django_db
API = "/api/v1/"


@dataclass(frozen=True)
class People:
    root: Client
    admin: Client
    operator: Client
    viewer: Client
    limited: Client
    foreign: Client
    member: Member


@pytest.fixture
def people() -> People:
    account = factories.make_account()
    camera = factories.make_camera(account)
    admin = factories.make_member(account, "admin")
    return People(
        root=_client(factories.make_superuser()),
        admin=_client(admin.user),
        operator=_client(factories.make_member(account, "operator").user),
        viewer=_client(factories.make_member(account, "viewer").user),
        limited=_client(factories.make_limited_member(account, "admin", [camera]).user),
        foreign=_client(factories.make_member(factories.make_account("Foreign"), "admin").user),
        member=admin,
    )


def _client(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_health_is_open_and_says_nothing_else(client: Client) -> None:
    answer = client.get(API + "system/health/")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_is_503_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("connection to server at 10.0.0.1 failed: password hunter2")

    monkeypatch.setattr(connection, "cursor", refuse)

    answer = client.get(API + "system/health/")

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "database_unavailable"
    assert "hunter2" not in answer.content.decode()


def test_health_looks_at_no_login(client: Client) -> None:
    headers = {"authorization": "Bearer nonsense"}

    assert client.get(API + "system/health/", headers=headers).status_code == 200


def test_version_takes_a_login(client: Client, people: People, settings: Settings) -> None:
    assert client.get(API + "system/version/").status_code == 401
    assert people.viewer.get(API + "system/version/").json()["version"] == settings.OMMA_VERSION


def test_administrators_see_the_details_and_others_the_checks(people: People) -> None:
    Node.objects.create(name="box", kind="capture", boot_id=uuid4(), pid=1, slots=16, seen_at=timezone.now())
    Lease.objects.create(object_id=uuid4(), kind="source", owner="box")

    seen = people.admin.get(API + "system/status/").json()

    assert {one["code"]: one["is_ok"] for one in seen["checks"]} == {
        "database": True, "broker": True, "bus": True, "capture": True, "inference": False,
        "storage": True,
    }  # fmt: skip
    assert seen["status"] == "degraded"
    assert [(one["name"], one["lease_count"]) for one in seen["detail"]["nodes"]] == [("box", 1)]
    assert set(seen["detail"]["queues"]) == {"capture", "inference", "recording", "retention", "default"}
    assert seen["detail"]["database"]["version"].startswith("18")
    assert seen["detail"]["broker"]["used_bytes"] > 0
    for client in (people.operator, people.viewer, people.limited):
        assert client.get(API + "system/status/").json()["detail"] is None


def test_sources_are_counted_as_far_as_they_may_be_seen(people: People) -> None:
    account = people.member.account
    for status in ("live", "live", "failed"):
        Source.objects.create(account=account, camera=factories.make_camera(account), status=status)

    assert people.viewer.get(API + "system/status/").json()["sources"] == {"failed": 1, "live": 2}
    assert people.limited.get(API + "system/status/").json()["sources"] == {}
    assert people.foreign.get(API + "system/status/").json()["sources"] == {}


def test_status_answers_while_the_broker_is_away(people: People, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    seen = people.admin.get(API + "system/status/").json()

    assert {one["code"] for one in seen["checks"] if not one["is_ok"]} >= {"broker"}
    assert seen["detail"]["queues"] == {}
    assert seen["detail"]["broker"] is None


def make_task(people: People, state: TaskState = TaskState.PENDING, **fields: Any) -> Task:
    fields = {"account_id": people.member.account_id, **fields}
    return Task.objects.create(kind="test", unique_key=str(uuid4()), state=state, **fields)


def test_tasks_are_seen_by_whom_they_concern(people: People) -> None:
    camera = factories.make_camera(people.member.account)
    make_task(people)
    make_task(people, camera_id=camera.pk)
    make_task(people, account_id=None)

    counts = {
        name: getattr(people, name).get(API + "tasks/").json()["count"]
        for name in ("root", "viewer", "limited", "foreign")
    }

    assert counts == {"root": 3, "viewer": 2, "limited": 0, "foreign": 0}


def test_tasks_are_filtered_and_a_bad_filter_is_named(people: People) -> None:
    make_task(people)
    make_task(people, TaskState.FAILED)

    assert people.viewer.get(API + "tasks/?state=failed&state=done").json()["count"] == 1
    answer = people.viewer.get(API + "tasks/?state=broken")
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["state"])


def test_a_waiting_task_is_cancelled_and_a_failed_one_repeated(people: People) -> None:
    task = make_task(people)
    address = f"{API}tasks/{task.pk}/"

    assert people.viewer.post(address + "cancel/").status_code == 403
    assert people.foreign.post(address + "cancel/").status_code == 404
    assert people.operator.post(address + "cancel/").json()["state"] == "cancelled"
    assert people.operator.post(address + "cancel/").status_code == 409
    assert people.operator.post(address + "retry/").json()["state"] == "pending"
    assert [one.action for one in AuditEntry.objects.order_by("id")] == ["task.cancelled", "task.retried"]


def test_the_events_socket_shows_tasks_as_the_api_does(people: People) -> None:
    task = make_task(people)
    foreign = make_task(people, account_id=uuid4())

    loaded = representations.load("task", [task.pk, foreign.pk], actor_of_user(people.member.user))

    assert set(loaded) == {task.pk}
    assert dict(loaded[task.pk]) == people.admin.get(f"{API}tasks/{task.pk}/").json()


def test_jobs_are_seen_by_administrators_and_run_by_superusers(
    people: People, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    periodic.sync_jobs()
    sent: list[PeriodicRun] = []
    monkeypatch.setattr("apps.core.tasks.send_run", sent.append)
    address = API + "system/jobs/clean-up/"

    assert people.viewer.get(API + "system/jobs/").json()["count"] == 0
    assert people.viewer.post(address + "run/").status_code == 404
    assert people.admin.get(address).json()["is_enabled"] is True
    assert people.admin.post(address + "run/").status_code == 403
    assert (
        people.admin.patch(address, {"is_enabled": False}, content_type="application/json").status_code == 403
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert people.root.post(address + "run/").status_code == 202
    assert [run.job_id for run in sent] == ["clean-up"]
    assert len(people.root.get(address + "runs/").json()) == 1


def test_a_job_is_switched_and_rescheduled(people: People) -> None:
    periodic.sync_jobs()
    address = API + "system/jobs/clean-up/"

    done = people.root.patch(
        address, {"is_enabled": False, "schedule": "300"}, content_type="application/json"
    )
    wrong = people.root.patch(address, {"schedule": "every day"}, content_type="application/json")

    assert (done.json()["is_enabled"], done.json()["schedule"]) == (False, "300")
    assert (wrong.status_code, list(wrong.json()["error"]["fields"])) == (400, ["schedule"])
    job = PeriodicJob.objects.get(name="clean-up")
    assert (job.is_enabled, job.schedule) == (False, "300")


def test_the_audit_trail_is_for_administrators_of_the_account(people: People) -> None:
    actor = audit.ActorRef(kind="user", name="ada", address="192.0.2.1")
    audit.record(actor, "camera.created", account_id=people.member.account_id, subject_kind="camera")
    audit.record(actor, "user.logged_in")

    counts = {
        name: getattr(people, name).get(API + "system/audit/").json()["count"]
        for name in ("root", "admin", "operator", "limited", "foreign")
    }

    assert counts == {"root": 2, "admin": 1, "operator": 0, "limited": 0, "foreign": 0}
    assert people.admin.get(API + "system/audit/?action=camera.created").json()["count"] == 1
    answer = people.admin.get(API + "system/audit/?after=soon")
    assert list(answer.json()["error"]["fields"]) == ["after"]


def test_listing_tasks_costs_the_same_for_many(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        make_task(people)

    with django_assert_num_queries(4):  # the user and their memberships; the count and the rows
        assert people.viewer.get(API + "tasks/").json()["count"] == 20


@pytest.mark.django_db(transaction=True)
async def test_a_socket_is_somebody_until_the_session_ends() -> None:
    def log_in() -> tuple[Client, str]:
        client = _client(factories.make_user("ada"))
        return client, client.cookies.output(header="").strip().partition(";")[0]

    client, cookie = await database_sync_to_async(log_in)()
    scope = {"type": "websocket", "headers": [(b"cookie", cookie.encode())], "client": ("192.0.2.7", 1)}

    before = await actor_of_scope(scope)
    await database_sync_to_async(client.post)("/accounts/logout/")
    after = await actor_of_scope(scope)

    assert (before.name, before.address) == ("ada", "192.0.2.7")
    assert not after.is_authenticated


def test_the_root_says_where_everything_is(client: Client, people: People) -> None:
    lists = people.viewer.get(API).json()

    assert client.get(API).status_code == 401
    assert lists["camera"] == "http://testserver/api/v1/cameras/"
    assert {people.viewer.get(url).status_code for name, url in lists.items() if name != "docs"} == {200}
