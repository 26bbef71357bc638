"""Recordings, retention and rules in the admin."""

import pytest
from django.test import Client

from apps.accounts.actors import system_actor
from apps.recordings.models import CauseKind, Recording, RecordingState, RetentionPolicy
from apps.rules.models import Rule, RuleFiring
from apps.rules.services import create_rule
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(factories.make_superuser())
    return client


@pytest.fixture
def recording(archive: Archive) -> Recording:
    return Recording.objects.create(
        account=archive.account, camera=archive.stream.camera, stream=archive.stream, number=1,
        state=RecordingState.DONE, cause_kind=CauseKind.RULE, wanted_start=at(0), start=at(0), end=at(9),
    )  # fmt: skip


@pytest.mark.parametrize(
    "page", ["recordings/recording", "recordings/retentionpolicy", "rules/rule", "rules/rulefiring"]
)
def test_lists_and_searches_open(archive: Archive, recording: Recording, client: Client, page: str) -> None:
    rule = create_rule(
        actor=system_actor(), account=archive.account, name="Door", labels=["dog"], all_cameras=True
    )
    RetentionPolicy.objects.create(account=archive.account)
    RuleFiring.objects.create(
        account=archive.account,
        rule=rule,
        camera=archive.stream.camera,
        event_id=uuid7(),
        at=at(0),
        outcome="noted",
    )

    assert client.get(f"/admin/{page}/").status_code == 200
    assert client.get(f"/admin/{page}/?q=x").status_code == 200


def test_recordings_are_held_released_and_deleted(recording: Recording, client: Client) -> None:
    def act(action: str) -> str:
        body = {"action": action, "_selected_action": [str(recording.pk)]}
        return client.post("/admin/recordings/recording/", body, follow=True).content.decode()

    assert "1 held" in act("hold")
    assert "release it first" in act("delete_rows")
    assert Recording.objects.get().is_held
    assert "1 released" in act("release")
    assert "1 deleted" in act("delete_rows")
    assert not Recording.objects.exists()


def test_recording_is_renamed_and_nothing_else(recording: Recording, client: Client) -> None:
    page = f"/admin/recordings/recording/{recording.pk}/change/"

    assert client.get(page).status_code == 200
    client.post(page, {"name": "Parcel", "is_held": "on", "number": "99"})

    recording.refresh_from_db()
    assert (recording.name, recording.is_held, recording.number) == ("Parcel", False, 1)


def test_rule_is_changed_through_the_same_checks(archive: Archive, client: Client) -> None:
    rule = create_rule(
        actor=system_actor(), account=archive.account, name="Door", labels=["dog"], all_cameras=True
    )
    page = f"/admin/rules/rule/{rule.pk}/change/"
    body = {
        "all_cameras": "on", "name": "Gate", "is_enabled": "on", "labels": '["cat"]', "min_confidence": "0.5",
        "polygon": "[]", "min_duration_s": "0", "cooldown_s": "0", "records": "on", "pre_roll_s": "",
        "post_roll_s": "",
    }  # fmt: skip

    assert client.get(page).status_code == 200
    refused = client.post(page, {**body, "polygon": "[[0,0],[1,1]]"})
    assert "at least 3 points" in refused.content.decode()
    assert client.post(page, body).status_code == 302

    rule.refresh_from_db()
    assert (rule.name, rule.labels, rule.all_cameras) == ("Gate", ["cat"], True)


def test_rules_are_switched_and_deleted(archive: Archive, client: Client) -> None:
    rule = create_rule(
        actor=system_actor(), account=archive.account, name="Door", labels=["dog"], all_cameras=True
    )
    body = {"_selected_action": [str(rule.pk)]}

    client.post("/admin/rules/rule/", {**body, "action": "switch_off"})
    rule.refresh_from_db()
    assert rule.is_enabled is False
    client.post("/admin/rules/rule/", {**body, "action": "delete_selected", "post": "yes"})

    assert not Rule.objects.exists()
