"""Logging in and out with a browser."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import LoginAttempt
from apps.core.models import AuditEntry
from tests import factories
from tests.clocks import FakeClock

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock(timezone.now())
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock


def log_in(client: Client, name: str, password: str = factories.PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, **extra)


def test_the_right_password_opens_a_session_and_is_audited(client: Client) -> None:
    factories.make_user("ada")

    answer = log_in(client, "ada")

    assert (answer.status_code, answer["Location"]) == (302, "/app/")
    assert client.get("/api/v1/me/").json()["username"] == "ada"
    assert [(entry.action, entry.actor_name) for entry in AuditEntry.objects.all()] == [
        ("user.logged_in", "ada")
    ]


def test_the_session_gets_a_new_key_at_login(client: Client) -> None:
    factories.make_user("ada")
    client.session.save()
    before = client.session.session_key

    log_in(client, "ada")

    assert client.session.session_key != before


@pytest.mark.parametrize("name", ["ada", "nobody", "gone"])
def test_wrong_password_unknown_name_and_closed_login_are_refused_alike(client: Client, name: str) -> None:
    factories.make_user("ada")
    factories.make_user("gone", is_active=False)
    password = factories.PASSWORD if name == "gone" else "wrong"

    answer = log_in(client, name, password)

    assert answer.status_code == 422
    assert "This name and password do not belong together." in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_page_does_not_lead_away_from_here(client: Client) -> None:
    factories.make_user("ada")

    answer = client.post(
        LOGIN, {"username": "ada", "password": factories.PASSWORD, "next": "https://evil.example/"}
    )

    assert answer["Location"] == "/app/"


def test_delays_grow_and_end_and_no_forwarding_header_helps(client: Client, clock: FakeClock) -> None:
    factories.make_user("ada")
    started, tried, evaluated = clock.now(), 0, 0

    while clock.now() < started + timedelta(hours=1):
        answer = log_in(client, "ada", "wrong", headers={"x-forwarded-for": f"198.51.100.{tried % 250}"})
        tried += 1
        evaluated += answer.status_code == 422
        clock.advance(int(answer.get("Retry-After", 0)) or 0.1)

    assert tried > evaluated
    assert 10 <= evaluated <= 20
    clock.advance(15 * 60)
    assert log_in(client, "ada").status_code == 302


def test_a_thousand_names_from_one_address_are_throttled_too(client: Client, clock: FakeClock) -> None:
    statuses = [log_in(client, f"name{number}", "wrong").status_code for number in range(40)]

    assert statuses == [422] * 20 + [429] * 20


def test_strangers_cannot_lock_the_owner_out_of_a_known_browser(client: Client, clock: FakeClock) -> None:
    factories.make_user("ada")
    known = Client()
    log_in(known, "ada")
    known.post("/accounts/logout/")
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    assert [log_in(stranger, "ada", "wrong").status_code for _ in range(8)] == [422] * 5 + [429] * 3

    assert log_in(client, "ada").status_code == 429
    assert log_in(known, "ada").status_code == 302


def test_a_known_browser_is_known_for_its_own_name_only(clock: FakeClock) -> None:
    factories.make_user("ada")
    factories.make_user("bob")
    known = Client()
    log_in(known, "ada")
    known.post("/accounts/logout/")
    for _ in range(6):
        log_in(Client(REMOTE_ADDR="203.0.113.9"), "bob", "wrong")

    assert log_in(known, "bob").status_code == 429


def test_the_right_password_clears_the_count(client: Client, clock: FakeClock) -> None:
    factories.make_user("ada")
    for _ in range(4):
        log_in(client, "ada", "wrong")

    log_in(client, "ada")

    assert LoginAttempt.objects.get(key="name:ada").failures == 0
    assert LoginAttempt.objects.get(key="address:127.0.0.1").failures == 4


def test_logging_out_takes_a_post(client: Client) -> None:
    client.force_login(factories.make_user())

    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/api/v1/me/").status_code == 401


def test_the_login_form_needs_the_csrf_token() -> None:
    factories.make_user("ada")

    answer = log_in(Client(enforce_csrf_checks=True), "ada")

    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


def test_a_write_to_media_without_the_csrf_token_is_refused_in_the_envelope() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_user("ada"))

    answer = client.post(f"/media/v1/recordings/{uuid4()}.mp4")

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "csrf"


def test_the_admin_has_no_login_of_its_own(client: Client) -> None:
    factories.make_superuser("root")

    answer = client.post("/admin/login/", {"username": "root", "password": factories.PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/admin/")
    assert "_auth_user_id" not in client.session


def test_somebody_without_the_right_is_not_sent_in_circles(client: Client) -> None:
    client.force_login(factories.make_user())

    assert client.get("/admin/login/").status_code == 403
