"""Targets and deliveries over the API and in the admin: who may, and that no secret comes out."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Member
from apps.alerts.models import Delivery, RuleTarget, Target
from tests.apps.alerts.conftest import House, MakeTarget, fire, hand_over, make_house, send
from tests.apps.alerts.sink import Sink, answer
from tests.factories import make_limited_member, make_member, make_superuser

URL = "/api/v1/targets/"


def login(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def operator(house: House) -> Client:
    return login(make_member(house.account, "operator"))


def post(client: Client, where: str, /, **body: Any) -> Any:
    return client.post(where, body, content_type="application/json")


def test_a_target_is_made_and_its_secrets_are_told_once(operator: Client, house: House, sink: Sink) -> None:
    answered = post(
        operator, URL, name="Hook", address=sink.url("/T0P/s3cr3t?key=abc"), all_cameras=True,
        wants=["event"], authorization={"type": "bearer", "token": "b34r3r"}, headers={"X-Key": "h34d3r"},
    )  # fmt: skip

    row = answered.json()
    assert answered.status_code == 201, row
    assert row["signing_key"].startswith("whsec_")
    assert (row["place"], row["wants"]) == (f"http://127.0.0.1:{sink.port}/…", ["event"])
    assert row["sending"]["circuit"] == "closed"
    told = [
        operator.get(URL).content.decode(),
        operator.get(f"{URL}{row['id']}/").content.decode(),
        operator.patch(f"{URL}{row['id']}/", {"name": "x"}, "application/json").content.decode(),
    ]
    staff = Client()
    staff.force_login(make_superuser())
    told.append(staff.get(f"/admin/alerts/target/{row['id']}/change/").content.decode())
    for secret in ("s3cr3t", "b34r3r", "h34d3r", row["signing_key"]):
        assert [
            text
            for text in [answered.content.decode().replace(row["signing_key"], ""), *told]
            if secret in text
        ] == []
    stored = bytes(Target.objects.get().secret)
    assert b"s3cr3t" not in stored


def test_a_key_is_rotated(operator: Client, house: House, make_target: MakeTarget) -> None:
    target = make_target()
    before = bytes(target.secret)

    answered = post(operator, f"{URL}{target.pk}/rotate-key/")

    target.refresh_from_db()
    assert answered.json()["signing_key"].startswith("whsec_")
    assert bytes(target.secret) != before


@pytest.mark.parametrize(("body", "field"), [
    ({"name": ""}, "name"), ({"address": "https://10.0.0.1/"}, "address"), ({"wants": ["x"]}, "wants"),
    ({"timeout_s": 99}, "timeout_s"), ({"headers": {"Host": "x"}}, "headers"),
    ({"cameras": ["x"]}, "cameras.0"), ({"authorization": {"type": "x"}}, "authorization"),
    ({"per_minute": 0}, "per_minute"), ({"format": "x"}, "format"), ({"account": "x"}, "account"),
])  # fmt: skip
def test_a_bad_value_is_a_400_that_names_its_field(
    operator: Client, sink: Sink, body: dict[str, Any], field: str
) -> None:
    answered = post(operator, URL, **{"name": "Hook", "address": sink.url(), "all_cameras": True, **body})

    assert (answered.status_code, list(answered.json()["error"]["fields"])) == (400, [field])
    assert Target.objects.count() == 0


def test_viewers_and_strangers_see_nothing(house: House, make_target: MakeTarget) -> None:
    target = make_target()
    fire(house)
    hand_over()
    delivery = Delivery.objects.get()
    others = [
        login(make_member(house.account, "viewer")),
        login(make_member(make_house("Other").account, "admin")),
        login(make_limited_member(house.account, "operator", [house.door])),
    ]

    for client in others[:2]:
        assert client.get(URL).json()["results"] == []
        assert client.get("/api/v1/deliveries/").json()["results"] == []
        assert client.get(f"/api/v1/deliveries/{delivery.pk}/").status_code == 404
    for client in others:
        for address in ("", "test/", "rotate-key/", "resend-dead/"):
            assert post(client, f"{URL}{target.pk}/{address}").status_code in {404, 405}
        assert client.get(f"{URL}{target.pk}/").status_code == 404
        assert client.delete(f"{URL}{target.pk}/").status_code == 404
    assert Target.objects.count() == 1


def test_who_sees_some_cameras_makes_targets_for_these(house: House, sink: Sink) -> None:
    client = login(make_limited_member(house.account, "operator", [house.door]))
    body = {"name": "Mine", "address": sink.url()}

    own = post(client, URL, **body, cameras=[str(house.door.pk)])
    foreign = post(client, URL, **body, cameras=[str(house.yard.pk)])
    general = post(client, URL, **body, all_cameras=True, account=str(house.account.pk))

    assert (own.status_code, foreign.status_code) == (201, 400)
    assert general.status_code in {403, 404}
    assert Target.objects.count() == 1
    widened = client.patch(f"{URL}{own.json()['id']}/", {"all_cameras": True}, "application/json")
    assert widened.status_code == 404
    assert Target.objects.get().all_cameras is False


def test_a_rule_names_its_targets(operator: Client, house: House, make_target: MakeTarget) -> None:
    one, two = make_target(rules=[]), make_target(rules=[], name="Two")
    other = make_house("Other")
    foreign = Target.objects.create(account=other.account, name="x", place="x", secret=b"x", all_cameras=True)
    address = f"/api/v1/rules/{house.rule.pk}/targets/"

    first = operator.put(address, {"targets": [str(one.pk), str(two.pk)]}, "application/json")
    second = operator.put(address, {"targets": [str(two.pk)]}, "application/json")
    bad = operator.put(address, {"targets": [str(foreign.pk)]}, "application/json")

    assert set(first.json()["targets"]) == {str(one.pk), str(two.pk)}
    assert (second.json(), operator.get(address).json()) == ({"targets": [str(two.pk)]},) * 2
    assert (bad.status_code, list(bad.json()["error"]["fields"])) == (400, ["targets"])
    assert [link.target_id for link in RuleTarget.objects.all()] == [two.pk]
    assert operator.get(f"/api/v1/rules/{other.rule.pk}/targets/").status_code == 404
    viewer = login(make_member(house.account, "viewer"))
    assert viewer.put(address, {"targets": []}, "application/json").status_code == 403
    assert viewer.get(address).json() == {"targets": []}


def test_a_test_is_sent_and_dead_letters_are_sent_again(
    operator: Client, house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    assert post(operator, f"{URL}{target.pk}/test/").status_code == 202
    hand_over()
    sink.behaviours = [answer(400)]
    send()
    Delivery.objects.update(state="dead")

    dead = operator.get("/api/v1/deliveries/", {"state": "dead", "target": str(target.pk)}).json()["results"]
    again = post(operator, f"/api/v1/deliveries/{dead[0]['id']}/resend/")
    refused = post(operator, f"/api/v1/deliveries/{dead[0]['id']}/resend/")
    send()

    assert [(row["kind"], row["last_status"]) for row in dead] == [("test", 400)]
    assert (again.status_code, again.json()["state"], refused.status_code) == (200, "pending", 409)
    assert Delivery.objects.get().state == "delivered"
    assert post(operator, f"{URL}{target.pk}/resend-dead/").json() == {"resent": 0}
    for query in ({"state": "x"}, {"target": "x"}, {"start": "x"}):
        assert operator.get("/api/v1/deliveries/", query).status_code == 400


def test_the_admin_lists_and_sends_again(house: House, make_target: MakeTarget) -> None:
    target = make_target()
    fire(house)
    hand_over()
    Delivery.objects.update(state="dead")
    client = Client()
    client.force_login(make_superuser())

    for page in ("target", "targetstate", "ruletarget", "delivery"):
        assert client.get(f"/admin/alerts/{page}/").status_code == 200
    chosen = {"action": "send_again", "_selected_action": [str(Delivery.objects.get().pk)]}
    client.post("/admin/alerts/delivery/", chosen)
    off = {"action": "switch_off", "_selected_action": [str(target.pk)]}
    client.post("/admin/alerts/target/", off)

    assert Delivery.objects.get().state == "pending"
    assert Target.objects.get().is_enabled is False
