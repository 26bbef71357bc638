"""The admin: every page of every model opens, for those who may, and no secret is in it."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import ApiToken, User
from apps.core import jobs, periodic
from apps.core.models import AuditEntry, PeriodicJob, PeriodicRun, Task
from tests import factories
from tests.apps.system.test_route_matrix import things

pytestmark = pytest.mark.django_db
__all__ = ["things"]  # a row of every kind

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(factories.make_superuser())
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_of_ours_is_in_the_admin() -> None:
    from django.apps import apps

    ours = {model for model in apps.get_models() if model.__module__.startswith("apps.")}

    assert {model._meta.label for model in ours - set(MODELS)} == {"accounts.Grant"}  # inside its member


@pytest.mark.usefixtures("things")
def test_every_page_opens(root: Client) -> None:
    wrong = []

    for model in MODELS:
        pages = [address(model, "changelist"), address(model, "changelist") + "?q=canary"]
        row = model._default_manager.first()
        if row is not None:
            pages += [address(model, "change", row.pk), address(model, "history", row.pk)]
        model_admin = admin.site._registry[model]
        request = RequestFactory().get("/")
        request.user = User.objects.get(username="root")
        if model_admin.has_add_permission(request):
            pages.append(address(model, "add"))
        wrong += [
            (page, status) for page in pages if (status := root.get(page).status_code) not in {200, 302}
        ]

    assert wrong == []


@pytest.mark.parametrize("path", ["/admin/core/periodicjob/a%00b/change/", "/api/v1/system/jobs/a%00b/"])
def test_a_key_that_no_row_can_have_is_not_found(root: Client, path: str) -> None:
    assert root.get(path).status_code == 404


@pytest.mark.usefixtures("things")
def test_no_secret_is_shown(root: Client) -> None:
    token = ApiToken.objects.get()
    user = token.member.user

    pages = [address(ApiToken, "changelist"), address(ApiToken, "change", token.pk)]
    pages += [address(User, "changelist"), address(User, "change", user.pk)]
    shown = "".join(root.get(page).content.decode() for page in pages)

    assert token.digest not in shown
    assert user.password not in shown


def test_staff_without_rights_see_no_model(things: object) -> None:
    client = Client()
    client.force_login(factories.make_user(is_staff=True))

    assert client.get("/admin/").status_code == 200
    assert {client.get(address(model, "changelist")).status_code for model in MODELS} == {403}


def act(client: Client, model: type[Model], action: str, *rows: Model) -> Any:
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(address(model, "changelist"), body, follow=True)


def test_a_job_is_run_now(
    root: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    periodic.sync_jobs()
    sent: list[PeriodicRun] = []
    monkeypatch.setattr("apps.core.tasks.send_run", sent.append)

    with django_capture_on_commit_callbacks(execute=True):
        act(root, PeriodicJob, "run_now", PeriodicJob.objects.get(name="clean-up"))

    assert [(run.job_id, run.is_manual) for run in sent] == [("clean-up", True)]
    assert [entry.action for entry in AuditEntry.objects.all()] == ["job.run"]


def test_tasks_are_cancelled_and_repeated(root: Client) -> None:
    task = jobs.enqueue("no-such-kind", "once")

    act(root, Task, "cancel", task)
    task.refresh_from_db()
    assert task.state == "cancelled"
    act(root, Task, "retry", task)
    task.refresh_from_db()
    assert task.state == "pending"


def test_tokens_are_revoked_and_people_logged_out(root: Client) -> None:
    member = factories.make_member(factories.make_account(), "viewer")
    token, text = factories.make_token(member)
    session = Client()
    session.force_login(member.user)

    act(root, ApiToken, "revoke", token)
    assert Client(headers={"authorization": f"Bearer {text}"}).get("/api/v1/me/").status_code == 401
    act(root, User, "log_out", member.user)
    assert session.get("/api/v1/me/").status_code == 401


def test_the_audit_trail_cannot_be_changed(root: Client) -> None:
    entry = AuditEntry.objects.create(actor_kind="user", action="x")

    assert root.post(address(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert root.post(address(AuditEntry, "change", entry.pk), {"action": "y"}).status_code == 403
    assert AuditEntry.objects.get().action == "x"


def test_changes_in_the_admin_are_audited(root: Client) -> None:
    account = factories.make_account()

    root.post(
        f"/admin/accounts/account/{account.pk}/change/",
        {"name": "Farm", "time_zone": "UTC", "is_active": "on",
         "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"},
    )  # fmt: skip

    assert [(entry.action, entry.actor_name) for entry in AuditEntry.objects.all()] == [
        ("account.updated", "root")
    ]


def test_a_cameras_address_is_shown_without_its_secrets_and_keeps_them(root: Client) -> None:
    address = "rtsp://10.0.0.5/user=admin_password=canary_channel=1"
    camera = factories.make_camera(factories.make_account(), "Door", driver="rtsp", address=address)
    page = reverse("admin:cameras_camera_change", args=[camera.pk])

    shown = root.get(page).content.decode()
    form = {
        "name": "Gate",
        "address": "rtsp://10.0.0.5/user=admin_password=***",
        "driver": "rtsp",
        "options": "{}",
    }
    answer = root.post(page, {**form, "is_enabled": "on"})

    camera.refresh_from_db()
    assert "canary" not in shown
    assert (answer.status_code, camera.name, camera.address) == (302, "Gate", address)
