"""Members: added, changed and removed by administrators of their own account only."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Account, Grant, Member, User
from apps.core.models import AuditEntry, Outbox
from tests import factories

pytestmark = pytest.mark.django_db
MEMBERS = "/api/v1/members/"


@dataclass(frozen=True)
class Home:
    account: Account
    admin: Member
    viewer: Member
    foreign: Member


@pytest.fixture
def home() -> Home:
    account = factories.make_account()
    return Home(
        account=account,
        admin=factories.make_member(account, "admin", user=factories.make_user("ada")),
        viewer=factories.make_member(account, "viewer", user=factories.make_user("vera")),
        foreign=factories.make_member(
            factories.make_account("Foreign"), "admin", user=factories.make_user("fred")
        ),
    )


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def send(client: Client, method: str, address: str, body: Any = None) -> Any:
    return getattr(client, method)(address, body, content_type="application/json")


def names(client: Client, query: str = "") -> list[str]:
    return sorted(one["username"] for one in client.get(MEMBERS + query).json()["results"])


def test_administrators_list_their_account_and_others_themselves(home: Home) -> None:
    assert names(client_of(home.admin)) == ["ada", "vera"]
    assert names(client_of(home.viewer)) == ["vera"]
    assert names(client_of(home.foreign)) == ["fred"]


def test_filters_and_order(home: Home) -> None:
    client = client_of(home.admin)

    assert names(client, "?role=viewer") == ["vera"]
    assert names(client, "?username=AD") == ["ada"]
    assert names(client, f"?account={home.foreign.account_id}") == []
    listed = client.get(MEMBERS + "?ordering=-user__username").json()["results"]
    assert [one["username"] for one in listed] == ["vera", "ada"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("role=king", "role"), ("account=x", "account"), ("ordering=password", "ordering"), ("page=0", "page"),
     ("page=x", "page"), ("page_size=1000", "page_size"), ("page_size=-1", "page_size"),
     ("ordering=user__password", "ordering"), ("user=%00", "user"), ("username=%00", "username")],
)  # fmt: skip
def test_a_bad_query_names_its_field(home: Home, query: str, field: str) -> None:
    answer = client_of(home.admin).get(f"{MEMBERS}?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_listing_costs_the_same_for_many(
    home: Home, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        camera = factories.make_camera(home.account)
        factories.make_limited_member(home.account, "viewer", [camera])
    client = client_of(home.admin)

    # the user and their memberships; the count, the rows and their grants (the session is cached)
    with django_assert_num_queries(5):
        assert client.get(MEMBERS).json()["count"] == 12


def test_adding_a_person_is_one_member_one_audit_entry_and_one_piece_of_news(home: Home) -> None:
    Outbox.objects.all().delete()

    answer = send(client_of(home.admin), "post", MEMBERS,
                  {"username": "nora", "password": "a long enough one", "role": "operator"})  # fmt: skip

    assert answer.status_code == 201
    member = Member.objects.get(user__username="nora")
    assert answer.json()["id"] == str(member.pk)
    assert (member.role, member.account) == ("operator", home.account)
    assert member.user.check_password("a long enough one")
    assert (member.user.is_staff, member.user.is_superuser) == (False, False)
    assert [(one.action, one.actor_name) for one in AuditEntry.objects.all()] == [("member.created", "ada")]
    assert [one.kind for one in Outbox.objects.all()] == ["member.created"]
    assert "a long enough one" not in str(AuditEntry.objects.values()) + answer.content.decode()


def test_a_limited_member_gets_grants(home: Home) -> None:
    camera = factories.make_camera(home.account)

    answer = send(client_of(home.admin), "post", MEMBERS,
                  {"username": "nora", "password": "a long enough one", "sees_all_cameras": False,
                   "grants": [{"scope_kind": "camera", "scope_id": str(camera.pk)}]})  # fmt: skip

    assert answer.json()["grants"] == [
        {"scope_kind": "camera", "scope_id": str(camera.pk), "role": "viewer", "until": None}
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "nora"}, "password"),
        ({"username": "nora", "password": "short"}, "password"),
        ({"username": "nora", "password": "password1234"}, "password"),
        ({"username": "nora b!", "password": "a long enough one"}, "username"),
        ({"username": "nora", "password": "a long enough one", "role": "king"}, "role"),
        ({"username": "vera"}, None),
        ({"username": "nora", "password": "a long enough one", "account": str(uuid4())}, "account"),
        ({"username": "nora", "password": "a long enough one",
          "grants": [{"scope_kind": "camera", "scope_id": str(uuid4())}]}, "grants.0.scope_id"),
        ({"username": "nora", "password": "a long enough one",
          "grants": [{"scope_kind": "planet", "scope_id": "x"}]}, "grants.0.scope_kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_changes_nothing(home: Home, body: dict[str, Any], field: str | None) -> None:
    answer = send(client_of(home.admin), "post", MEMBERS, body)

    assert answer.status_code == (400 if field else 409)
    assert next(iter(answer.json()["error"]["fields"])) == (field or "username")
    assert not User.objects.filter(username__startswith="nora").exists()
    assert Member.objects.count() == 3
    assert AuditEntry.objects.count() == 0


def test_a_grant_cannot_be_about_a_foreign_camera_or_exceed_the_role(home: Home) -> None:
    foreign = factories.make_camera(home.foreign.account)
    own = factories.make_camera(home.account)
    address = f"{MEMBERS}{home.viewer.pk}/"
    admin = client_of(home.admin)

    for grant, field in (
        ({"scope_kind": "camera", "scope_id": str(foreign.pk)}, "grants.0.scope_id"),
        ({"scope_kind": "camera", "scope_id": str(own.pk), "role": "operator"}, "grants.0.role"),
    ):
        answer = send(admin, "patch", address, {"grants": [grant]})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert Grant.objects.count() == 0


def test_what_is_not_ones_own_cannot_be_set(home: Home) -> None:
    answer = send(
        client_of(home.admin), "patch", f"{MEMBERS}{home.viewer.pk}/",
        {"role": "operator", "account": str(home.foreign.account_id), "user": str(home.foreign.user_id),
         "is_superuser": True, "id": str(uuid4())},
    )  # fmt: skip

    assert answer.status_code == 200
    home.viewer.refresh_from_db()
    assert (home.viewer.role, home.viewer.account) == ("operator", home.account)
    assert not home.viewer.user.is_superuser


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_foreign_and_absent_are_both_404(home: Home, method: str) -> None:
    admin = client_of(home.admin)

    foreign = send(admin, method, f"{MEMBERS}{home.foreign.pk}/")
    absent = send(admin, method, f"{MEMBERS}{uuid4()}/")
    nonsense = send(admin, method, f"{MEMBERS}nonsense/")

    assert [one.status_code for one in (foreign, absent, nonsense)] == [404, 404, 404]
    assert foreign.content == absent.content == nonsense.content
    assert Member.objects.filter(pk=home.foreign.pk).exists()


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_viewer_changes_nobody(home: Home, method: str) -> None:
    viewer = client_of(home.viewer)

    own = send(viewer, method, f"{MEMBERS}{home.viewer.pk}/", {"role": "admin"})
    other = send(viewer, method, f"{MEMBERS}{home.admin.pk}/", {"role": "viewer"})
    added = send(viewer, "post", MEMBERS, {"username": "nora", "password": "a long enough one"})

    assert (own.status_code, other.status_code, added.status_code) == (403, 404, 403)
    assert Member.objects.count() == 3


def test_the_last_administrator_stays(home: Home) -> None:
    admin = client_of(home.admin)
    address = f"{MEMBERS}{home.admin.pk}/"

    for method, body in (
        ("delete", None),
        ("patch", {"role": "viewer"}),
        ("patch", {"sees_all_cameras": False}),
    ):
        assert send(admin, method, address, body).status_code == 409
    home.admin.refresh_from_db()
    assert (home.admin.role, home.admin.sees_all_cameras) == ("admin", True)


def test_removing_a_member_ends_their_rights_and_keeps_their_login(home: Home) -> None:
    viewer = client_of(home.viewer)

    assert send(client_of(home.admin), "delete", f"{MEMBERS}{home.viewer.pk}/").status_code == 204

    assert viewer.get("/api/v1/me/").json()["accounts"] == []
    assert viewer.get("/api/v1/accounts/").json()["count"] == 0


def test_put_is_not_offered(home: Home) -> None:
    assert send(client_of(home.admin), "put", f"{MEMBERS}{home.viewer.pk}/", {}).status_code == 405


def test_a_password_is_reset_for_people_of_ones_own_accounts_only(home: Home) -> None:
    admin = client_of(home.admin)
    factories.make_member(home.account, "viewer", user=home.foreign.user)
    shared = Member.objects.get(account=home.account, user=home.foreign.user)
    body = {"new_password": "an entirely new one"}

    own = send(admin, "post", f"{MEMBERS}{home.viewer.pk}/reset_password/", body)
    of_both = send(admin, "post", f"{MEMBERS}{shared.pk}/reset_password/", body)

    assert (own.status_code, of_both.status_code) == (204, 404)
    assert User.objects.get(username="vera").check_password("an entirely new one")
    assert User.objects.get(username="fred").check_password(factories.PASSWORD)
