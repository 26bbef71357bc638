"""Pages of notifications: targets are added, tried and removed, rules name them, and nothing leaks."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.models import Account
from apps.alerts.models import Delivery, RuleTarget, Target
from apps.alerts.secrets import open_secret
from apps.rules.models import Rule
from omma_engine.ids import uuid7
from tests.factories import make_account, make_camera, make_member

LIST = "/app/rules/targets/"
ADDRESS = "https://93.184.216.34/T0P/s3cr3t"


@pytest.fixture
def home(db: Any, settings: LazySettings) -> Account:
    return make_account()


def login(account: Account, role: str) -> Client:
    client = Client()
    client.force_login(make_member(account, role).user)
    return client


@pytest.fixture
def operator(home: Account) -> Client:
    return login(home, "operator")


def entered(**values: Any) -> dict[str, Any]:
    return {
        "name": "Night shift", "is_enabled": "on", "address": ADDRESS, "token": "b34r3r", "all_cameras": "on",
        "per_minute": "60", "wants": ["event"], **values,
    }  # fmt: skip


def test_a_target_is_added_and_its_key_shown_once(operator: Client, home: Account) -> None:
    answer = operator.post(f"{LIST}add/", entered())
    target = Target.objects.get()
    key = open_secret(target.secret).signing_key

    page = operator.get(f"{LIST}{target.pk}/").content.decode()
    shown = operator.get(LIST).content.decode()

    assert answer.status_code == 200
    assert key in answer.content.decode()
    assert (target.name, target.wants, target.place) == (
        "Night shift",
        ["event"],
        "https://93.184.216.34:443/…",
    )
    for text in (page, shown):
        assert "Night shift" in text
        assert [secret for secret in (key, "s3cr3t", "b34r3r") if secret in text] == []


def test_what_is_refused_stands_at_its_field_and_stores_nothing(operator: Client, home: Account) -> None:
    answer = operator.post(f"{LIST}add/", entered(address="https://10.0.0.1/"))

    assert answer.status_code == 422
    assert "private network" in answer.content.decode()
    assert Target.objects.count() == 0


def test_a_change_keeps_what_is_left_empty(operator: Client, home: Account) -> None:
    operator.post(f"{LIST}add/", entered())
    target = Target.objects.get()
    before = open_secret(target.secret)

    answer = operator.post(
        f"{LIST}{target.pk}/", entered(name="Day shift", address="", token="", is_enabled="")
    )

    target.refresh_from_db()
    assert answer.status_code == 302
    assert (target.name, target.is_enabled, open_secret(target.secret)) == ("Day shift", False, before)


def test_it_is_tried_gets_a_new_key_and_goes(operator: Client, home: Account) -> None:
    operator.post(f"{LIST}add/", entered())
    target = Target.objects.get()
    old = open_secret(target.secret).signing_key
    here = f"{LIST}{target.pk}/"

    tried = operator.post(f"{here}test/")
    new = operator.post(f"{here}key/").content.decode()
    Delivery.objects.create(
        id=uuid7(), account_id=home.pk, target=target, kind="rule", xid=1, outbox_id=1, state="dead",
        occurred_at=target.created_at, expires_at=target.created_at, last_error="it answered 500",
    )  # fmt: skip
    listed = operator.get(LIST).content.decode()
    again = operator.post(f"{here}resend/")
    state = Delivery.objects.get().state
    gone = operator.post(f"{here}delete/")

    assert [answer.status_code for answer in (tried, again, gone)] == [302, 302, 302]
    assert old not in new
    assert "whsec_" in new
    assert "it answered 500" in listed
    assert state == "pending"
    assert Target.objects.count() == 0


def test_a_rule_says_whom_it_tells(operator: Client, home: Account) -> None:
    camera = make_camera(home)
    rule = Rule.objects.create(account=home, name="Visitors", all_cameras=True, labels=["person"])
    page = f"/app/rules/{rule.pk}/"
    before = operator.get(page).content.decode()
    operator.post(f"{LIST}add/", entered())
    target = Target.objects.get()
    values = {
        "name": "Visitors", "labels": ["person"], "all_cameras": "on", "cameras": [str(camera.pk)],
        "min_confidence": "0.5", "min_duration_s": "0", "cooldown_s": "0", "polygon": "[]",
        "is_enabled": "on",
    }  # fmt: skip
    form = operator.get(page).context["form"]
    for name in form.fields:
        initial = form[name].initial
        if name not in values and isinstance(initial, str | int | float) and not isinstance(initial, bool):
            values[name] = str(initial)

    saved = operator.post(page, {**values, "targets": [str(target.pk)]})
    links = list(RuleTarget.objects.values_list("rule", "target"))
    emptied = operator.post(page, values)

    assert "Tell these targets" not in before
    assert (saved.status_code, emptied.status_code) == (302, 302), saved.content.decode()[:3000]
    assert links == [(rule.pk, target.pk)]
    assert RuleTarget.objects.count() == 0


def test_who_may_not_change_rules_sees_no_targets(operator: Client, home: Account) -> None:
    operator.post(f"{LIST}add/", entered())
    target = Target.objects.get()

    for client in (login(home, "viewer"), login(make_account("Other"), "operator")):
        listed = client.get(LIST)
        assert listed.status_code == 403 or "Night shift" not in listed.content.decode()
        assert client.get(f"{LIST}{target.pk}/").status_code == 404
        for verb in ("test", "key", "resend", "delete"):
            assert client.post(f"{LIST}{target.pk}/{verb}/").status_code == 404
    assert Target.objects.count() == 1
