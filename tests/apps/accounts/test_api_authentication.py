"""How programs and browsers log in to the API, and what ends a login."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiToken, User
from tests import factories

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def _forget_passwords() -> None:
    caches["process"].clear()


def basic(name: str, password: str = factories.PASSWORD) -> dict[str, Any]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(text: str) -> dict[str, Any]:
    return {"authorization": f"Bearer {text}"}


def test_without_a_login_it_is_401_with_a_challenge(client: Client) -> None:
    answer = client.get(ME)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="Omma", charset="UTF-8"'
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_scripts_in_a_page_get_no_password_box(client: Client) -> None:
    answer = client.get(ME, headers={"sec-fetch-mode": "cors"})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Omma"'


def test_a_token_is_its_member_at_most_at_its_role(client: Client) -> None:
    member = factories.make_member(factories.make_account(), "admin", user=factories.make_superuser())
    _, text = factories.make_token(member, "operator")

    me = client.get(ME, headers=bearer(text)).json()

    assert me["kind"] == "token"
    assert me["username"] == "root"
    assert me["is_superuser"] is False
    assert [one["role"] for one in me["accounts"]] == ["operator"]


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"digest": "0" * 64},
    ],
)
def test_a_revoked_expired_or_unknown_token_is_refused(client: Client, change: dict[str, Any]) -> None:
    token, text = factories.make_token(factories.make_member(factories.make_account()))
    ApiToken.objects.filter(pk=token.pk).update(**change)

    answer = client.get(ME, headers=bearer(text))

    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "The login is not valid."


@pytest.mark.parametrize("who", ["user", "account"])
def test_a_token_of_a_closed_login_or_account_is_refused(client: Client, who: str) -> None:
    member = factories.make_member(factories.make_account())
    _, text = factories.make_token(member)
    row = getattr(member, who)
    row.is_active = False
    row.save()

    assert client.get(ME, headers=bearer(text)).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer omt_",
        "Bearer nonsense",
        "Basic",
        "Basic ====",
        "Basic bm9jb2xvbg==",
        "Basic \xff",
    ],
)
def test_a_bad_header_is_refused_even_with_a_good_session(client: Client, header: str) -> None:
    client.force_login(factories.make_user())

    answer = client.get(ME, headers={"authorization": header})

    assert answer.status_code == 401


def test_the_use_of_a_token_is_noted_coarsely(client: Client, django_assert_num_queries: Any) -> None:
    token, text = factories.make_token(factories.make_member(factories.make_account()))
    client.get(ME, headers=bearer(text))
    token.refresh_from_db()
    first = token.last_used_at

    client.get(ME, headers=bearer(text))

    token.refresh_from_db()
    assert first is not None
    assert token.last_used_at == first


def test_name_and_password_are_hashed_once_and_then_remembered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = factories.make_user("ada")
    calls: list[str] = []
    verify = hashers.MD5PasswordHasher.verify

    def counting(self: Any, password: str, encoded: str) -> bool:
        calls.append(encoded)
        return bool(verify(self, password, encoded))

    monkeypatch.setattr(hashers.MD5PasswordHasher, "verify", counting)

    statuses = [client.get(ME, headers=basic("ada")).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert calls == [user.password]


def test_a_new_password_ends_the_old_one_at_once(client: Client) -> None:
    user = factories.make_user("ada")
    assert client.get(ME, headers=basic("ada")).status_code == 200

    user.set_password("another long password")
    user.save()

    assert client.get(ME, headers=basic("ada")).status_code == 401
    assert client.get(ME, headers=basic("ada", "another long password")).status_code == 200


def test_raising_the_session_epoch_ends_what_is_remembered(client: Client) -> None:
    user = factories.make_user("ada")
    client.get(ME, headers=basic("ada"))
    client.force_login(user)
    assert client.get(ME).status_code == 200

    User.objects.update(session_epoch=7)

    assert client.get(ME).status_code == 401
    assert client.get(ME, headers=basic("ada")).status_code == 200  # asked anew: the password is still right


def test_a_deactivated_person_is_out_at_once(client: Client) -> None:
    user = factories.make_user("ada")
    client.get(ME, headers=basic("ada"))
    session = Client()
    session.force_login(user)

    User.objects.update(is_active=False)

    assert client.get(ME, headers=basic("ada")).status_code == 401
    assert session.get(ME).status_code == 401


def test_wrong_passwords_are_throttled_and_say_when_to_come_back(client: Client) -> None:
    factories.make_user("ada")
    statuses = [client.get(ME, headers=basic("ada", "wrong")).status_code for _ in range(7)]

    answer = client.get(ME, headers=basic("ada"))

    assert statuses == [401] * 5 + [429, 429]
    assert answer.status_code == 429
    assert answer["Retry-After"] == "2"
    assert answer.json()["error"]["code"] == "throttled"


def test_a_session_needs_the_csrf_token_to_write() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_user())

    answer = client.post("/api/v1/me/password/", {}, content_type="application/json")

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]["message"]


def test_a_token_needs_no_csrf_token() -> None:
    _, text = factories.make_token(factories.make_member(factories.make_account()))

    answer = Client(enforce_csrf_checks=True).post(
        "/api/v1/tokens/", {"name": "x"}, content_type="application/json", headers=bearer(text)
    )

    assert answer.json()["error"]["message"] == "A token cannot do this; log in with name and password."
