"""API tokens, one's own password, and what they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiToken, Member
from apps.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
TOKENS = "/api/v1/tokens/"
ME = "/api/v1/me/"
NEW = "an entirely new one"


@pytest.fixture(autouse=True)
def _forget_passwords() -> None:
    caches["process"].clear()


@pytest.fixture
def member() -> Member:
    return factories.make_member(factories.make_account(), "operator", user=factories.make_user("ada"))


@pytest.fixture
def browser(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(address, body, content_type="application/json")


def bearer(text: str) -> Client:
    return Client(headers={"authorization": f"Bearer {text}"})


def test_a_token_is_shown_once(browser: Client) -> None:
    made = post(browser, TOKENS, {"name": "backup", "role": "operator"}).json()

    listed = browser.get(TOKENS).json()["results"]
    stored = ApiToken.objects.get()
    assert made["token"].startswith("omt_")
    assert len(made["token"]) == 47
    assert bearer(made["token"]).get(ME).json()["kind"] == "token"
    assert [sorted(one) for one in listed] == [sorted(set(made) - {"token"})]
    assert made["token"] not in str(listed) + str(stored.__dict__) + str(AuditEntry.objects.values())
    assert [one.action for one in AuditEntry.objects.all()] == ["token.created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "x", "role": "admin"}, "role"),
        ({"name": "x", "expires_at": "yesterday"}, "expires_at"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "account": "00000000-0000-7000-8000-000000000000"}, "account"),
    ],
)
def test_a_bad_token_names_its_field(browser: Client, body: Any, field: str) -> None:
    answer = post(browser, TOKENS, body)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert not ApiToken.objects.exists()


def test_a_token_cannot_make_or_revoke_its_successor(browser: Client, member: Member) -> None:
    _, text = factories.make_token(member, "operator")

    assert post(bearer(text), TOKENS, {"name": "x"}).status_code == 403
    assert ApiToken.objects.count() == 1


def test_a_revoked_token_stays_listed_and_works_no_more(browser: Client, member: Member) -> None:
    token, text = factories.make_token(member)

    assert browser.delete(f"{TOKENS}{token.pk}/").status_code == 204
    assert browser.delete(f"{TOKENS}{token.pk}/").status_code == 204

    assert bearer(text).get(ME).status_code == 401
    assert browser.get(TOKENS + "?is_revoked=true").json()["count"] == 1
    assert browser.get(TOKENS + "?is_revoked=false").json()["count"] == 0
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1


def test_administrators_revoke_in_their_account_and_nobody_elsewhere(member: Member) -> None:
    token, _ = factories.make_token(member)
    admin, foreign, viewer = Client(), Client(), Client()
    admin.force_login(factories.make_member(member.account, "admin").user)
    foreign.force_login(factories.make_member(factories.make_account(), "admin").user)
    viewer.force_login(factories.make_member(member.account, "viewer").user)

    assert foreign.delete(f"{TOKENS}{token.pk}/").status_code == 404
    assert viewer.delete(f"{TOKENS}{token.pk}/").status_code == 404
    assert viewer.get(TOKENS).json()["count"] == 0
    assert admin.get(TOKENS).json()["count"] == 1
    assert admin.delete(f"{TOKENS}{token.pk}/").status_code == 204


def test_several_accounts_want_one_named(browser: Client, member: Member) -> None:
    other = factories.make_account("Other")
    factories.make_member(other, "viewer", user=member.user)

    unnamed = post(browser, TOKENS, {"name": "x"})
    named = post(browser, TOKENS, {"name": "x", "account": str(other.pk)})

    assert list(unnamed.json()["error"]["fields"]) == ["account"]
    assert named.json()["account"] == str(other.pk)


def test_a_new_password_ends_every_other_login(browser: Client, member: Member) -> None:
    _, text = factories.make_token(member)
    other = Client()
    other.force_login(member.user)

    answer = post(browser, ME + "password/", {"old_password": factories.PASSWORD, "new_password": NEW})

    assert answer.status_code == 204
    assert browser.get(ME).status_code == 200
    assert other.get(ME).status_code == 401
    assert bearer(text).get(ME).status_code == 401
    assert [one.action for one in AuditEntry.objects.all()] == ["user.changed_password"]


def test_a_password_set_anywhere_ends_tokens_and_sessions(browser: Client, member: Member) -> None:
    _, text = factories.make_token(member)
    root = Client()
    root.force_login(factories.make_superuser())

    answer = root.post(
        f"/admin/accounts/user/{member.user_id}/password/",
        {"password1": NEW, "password2": NEW, "usable_password": "true"},
    )

    assert answer.status_code == 302
    assert browser.get(ME).status_code == 401
    assert bearer(text).get(ME).status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("wrong", NEW, "old_password"), (factories.PASSWORD, "short", "new_password"), ("", NEW, "old_password"),
     (factories.PASSWORD, "password1234", "new_password")],
)  # fmt: skip
def test_a_password_is_changed_with_the_old_one_and_to_a_good_one(
    browser: Client, member: Member, old: str, new: str, field: str
) -> None:
    answer = post(browser, ME + "password/", {"old_password": old, "new_password": new})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    member.user.refresh_from_db()
    assert member.user.check_password(factories.PASSWORD)
    assert browser.get(ME).status_code == 200


def test_guessing_the_old_password_is_throttled(browser: Client) -> None:
    body = {"old_password": "wrong", "new_password": NEW}

    assert [post(browser, ME + "password/", body).status_code for _ in range(6)] == [400] * 5 + [429]


def test_an_expiring_token_ends(member: Member) -> None:
    _, text = factories.make_token(member, expires_at=timezone.now() + timedelta(seconds=60))
    assert bearer(text).get(ME).status_code == 200

    ApiToken.objects.update(expires_at=timezone.now())

    assert bearer(text).get(ME).status_code == 401


def test_accounts_are_renamed_by_their_administrators(browser: Client, member: Member) -> None:
    address = f"/api/v1/accounts/{member.account_id}/"
    admin = Client()
    admin.force_login(factories.make_member(member.account, "admin").user)
    change = {"name": "Farm", "time_zone": "Europe/Prague", "is_active": False}

    refused = browser.patch(address, change, content_type="application/json")
    done = admin.patch(address, change, content_type="application/json")
    wrong = admin.patch(address, {"time_zone": "Mars"}, content_type="application/json")
    created = admin.post("/api/v1/accounts/", {"name": "Mine"}, content_type="application/json")

    assert refused.status_code == 403
    assert (done.json()["name"], done.json()["is_active"]) == ("Farm", True)
    assert list(wrong.json()["error"]["fields"]) == ["time_zone"]
    assert created.status_code == 403
