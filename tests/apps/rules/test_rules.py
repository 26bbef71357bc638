"""Rules: what makes one good, who may have it, and what model hosts are told."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import Actor
from apps.accounts.actors import actor_of_user, system_actor
from apps.accounts.models import User
from apps.core import representations
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.core.models import AuditEntry, Outbox
from apps.inference.models import Analytic
from apps.recordings import rolls
from apps.rules import conditions, services
from apps.rules.models import Rule
from apps.rules.provisioning import cover_camera
from omma_engine.ids import uuid7
from omma_engine.rules.conditions import encode_condition
from tests import factories
from tests.apps.recordings.archive import Archive, make_archive

URL = "/api/v1/rules/"
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.fixture
def archive(tmp_path: Path, db: None) -> Archive:
    return make_archive(tmp_path / "volume")


@pytest.fixture
def operator(archive: Archive) -> Actor:
    return actor_of_user(
        factories.make_member(archive.account, "operator", user=factories.make_user("olga")).user
    )


@pytest.fixture
def client(operator: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    return client


def make_rule(archive: Archive, **values: Any) -> Rule:
    values = {"name": "Door", "labels": ["person"], "cameras": [archive.stream.camera], **values}
    return services.create_rule(actor=system_actor(), account=archive.account, **values)


BAD_VALUES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": "  "}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"labels": []}, "labels"),
    ({"labels": [" "]}, "labels"),
    ({"labels": "person"}, "labels"),
    ({"labels": ["x" * 65]}, "labels"),
    ({"labels": [str(n) for n in range(51)]}, "labels"),
    ({"polygon": [[0, 0], [1, 1]]}, "polygon"),
    ({"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "polygon"),
    ({"polygon": [[0, 0], [2, 0], [1, 1]]}, "polygon"),
    ({"polygon": [[0, 0], [1, 0], [1, "1"]]}, "polygon"),
    ({"polygon": [[0, 0], [1, 0], [float("nan"), 1]]}, "polygon"),
    ({"polygon": {"x": 1}}, "polygon"),
    ({"polygon": [5, 6, 7]}, "polygon"),
    ({"condition": []}, "condition"),
    ({"condition": {"kind": "colour"}}, "condition"),
    ({"condition": {"kind": ["line"]}}, "condition"),
    ({"condition": {"kind": "line", "points": [[0, 0]]}}, "condition"),
    ({"condition": {"kind": "line", "points": [[0, 0], [0, 0.001]]}}, "condition"),
    ({"condition": {"kind": "line", "points": [[0, 0], [0, 7]]}}, "condition"),
    ({"condition": {"kind": "line", "points": [[0, 0], [1, 1]], "direction": "up"}}, "condition"),
    ({"condition": {"kind": "dwell"}}, "condition"),
    ({"condition": {"kind": "dwell", "seconds": float("inf")}}, "condition"),
    ({"condition": {"kind": "stationary", "seconds": 0}}, "condition"),
    ({"condition": {"kind": "stationary", "seconds": 5, "metres": 1}}, "condition"),
    ({"condition": {"kind": "count"}}, "condition"),
    ({"condition": {"kind": "count", "at_least": 0}}, "condition"),
    ({"condition": {"kind": "count", "at_least": 2.5}}, "condition"),
    ({"condition": {"kind": "count", "at_least": 5, "at_most": 2}}, "condition"),
    ({"condition": {"kind": "speed", "at_least_kmh": "fast"}}, "condition"),
    ({"condition": {"kind": "count", "at_least": 2}, "labels": ["motion"]}, "labels"),
    (
        {"condition": {"kind": "line", "points": [[0, 0], [1, 1]]}, "min_duration_s": 2},
        "min_duration_s",
    ),
    ({"min_confidence": 1.1}, "min_confidence"),
    ({"min_confidence": float("nan")}, "min_confidence"),
    ({"min_duration_s": -1}, "min_duration_s"),
    ({"min_duration_s": float("inf")}, "min_duration_s"),
    ({"cooldown_s": 86401}, "cooldown_s"),
    ({"pre_roll_s": 301}, "pre_roll_s"),
    ({"post_roll_s": -1}, "post_roll_s"),
    ({"cameras": []}, "cameras"),
    ({"account": 1}, "account"),
    ({"id": uuid7()}, "id"),
)


@pytest.mark.parametrize(("values", "field"), BAD_VALUES)
def test_bad_values_name_their_field_and_change_nothing(
    archive: Archive, values: dict[str, Any], field: str
) -> None:
    rule = make_rule(archive)
    before = Rule.objects.values().get()

    if "account" not in values:
        with pytest.raises(InvalidInputError) as refused:
            make_rule(archive, **values)
        assert refused.value.field == field
    with pytest.raises(InvalidInputError) as refused:
        services.update_rule(actor=system_actor(), rule=rule, **values)

    assert refused.value.field == field
    assert Rule.objects.values().get() == before


def test_cameras_of_another_account_are_refused(archive: Archive, tmp_path: Path) -> None:
    other = make_archive(tmp_path / "other", factories.make_account("Other"))

    with pytest.raises(InvalidInputError) as refused:
        make_rule(archive, cameras=[other.stream.camera])

    assert refused.value.field == "cameras"


def test_labels_are_written_alike_and_once(archive: Archive) -> None:
    rule = make_rule(archive, labels=[" Person", "person", "dog"])

    assert rule.labels == ["dog", "person"]


def test_every_verb_leaves_a_trace_and_news(archive: Archive) -> None:
    rule = make_rule(archive)
    services.update_rule(actor=system_actor(), rule=rule, polygon=SQUARE)
    services.delete_rule(actor=system_actor(), rule=rule)

    verbs = ["rule.created", "rule.updated", "rule.deleted"]
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == verbs
    assert (
        list(Outbox.objects.filter(subject_kind="rule").order_by("id").values_list("kind", flat=True))
        == verbs
    )
    assert Outbox.objects.filter(kind="rule.deleted").get().camera_ids == [str(archive.stream.camera_id)]


def test_naming_cameras_ends_a_rule_about_all(archive: Archive) -> None:
    rule = make_rule(archive, all_cameras=True, cameras=[])

    services.update_rule(actor=system_actor(), rule=rule, cameras=[archive.stream.camera])
    rule.refresh_from_db()
    assert (rule.all_cameras, rule.cameras.count()) == (False, 1)
    services.update_rule(actor=system_actor(), rule=rule, all_cameras=True)

    rule.refresh_from_db()
    assert (rule.all_cameras, rule.cameras.count()) == (True, 0)


def test_rule_over_several_cameras_needs_the_right_on_each(archive: Archive, tmp_path: Path) -> None:
    second = make_archive(tmp_path / "volume", archive.account)
    member = factories.make_limited_member(archive.account, "operator", [archive.stream.camera])
    actor = actor_of_user(member.user)
    own = make_rule(archive)
    both = make_rule(archive, cameras=[archive.stream.camera, second.stream.camera])
    general = make_rule(archive, all_cameras=True, cameras=[])

    assert list(services.visible_rules(actor)) == [own]
    services.update_rule(actor=actor, rule=own, name="Front door")
    for rule in (both, general):
        with pytest.raises(NotVisibleError):
            services.update_rule(actor=actor, rule=rule, name="Mine")
    with pytest.raises(NotVisibleError):
        services.update_rule(actor=actor, rule=own, all_cameras=True)
    own.refresh_from_db()
    assert own.all_cameras is False


def test_first_camera_brings_the_rule_about_all_cameras(archive: Archive, tmp_path: Path) -> None:
    actor = system_actor()

    cover_camera(archive.stream.camera, actor)
    cover_camera(make_archive(tmp_path / "volume", archive.account).stream.camera, actor)

    rule = Rule.objects.get()
    assert (rule.name, rule.labels, rule.all_cameras, rule.records) == (
        "People and motion", ["motion", "person"], True, True,
    )  # fmt: skip


def test_new_camera_gets_its_own_rule_where_the_general_one_was_narrowed(
    archive: Archive, tmp_path: Path
) -> None:
    make_rule(archive)
    camera = make_archive(tmp_path / "volume", archive.account).stream.camera

    cover_camera(camera, system_actor())

    assert [one.pk for one in Rule.objects.get(name="People and motion").cameras.all()] == [camera.pk]


def test_hosts_are_told_the_enabled_rules_of_their_camera(archive: Archive, tmp_path: Path) -> None:
    second = make_archive(tmp_path / "volume", archive.account)
    special = make_rule(archive, polygon=SQUARE, min_confidence=0.6, min_duration_s=2)
    general = make_rule(archive, all_cameras=True, cameras=[], labels=["motion"])
    make_rule(archive, is_enabled=False)
    make_rule(make_archive(tmp_path / "other", factories.make_account("Other")), all_cameras=True)
    analytics = [
        Analytic(account=one.account, camera=one.stream.camera, stream=one.stream)
        for one in (archive, second)
    ]

    found = conditions.frame_rules_of(analytics)

    by_id = {condition.rule_id: condition for condition in found[analytics[0].pk]}
    assert set(by_id) == {special.pk, general.pk}
    assert by_id[special.pk].polygon == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert (by_id[special.pk].min_confidence, by_id[special.pk].min_duration_s) == (0.6, 2.0)
    assert by_id[general.pk].labels == frozenset({"motion"})
    assert [condition.rule_id for condition in found[analytics[1].pk]] == [general.pk]
    assert conditions.names_of([special.pk]) == {special.pk: "Door"}


def test_retention_learns_how_far_rules_reach(archive: Archive) -> None:
    assert rolls.seconds_wanted([archive.stream]) == {archive.stream.pk: 20.0}

    make_rule(archive, pre_roll_s=60, min_duration_s=5, post_roll_s=15)

    assert rolls.seconds_wanted([archive.stream]) == {archive.stream.pk: 80.0}


def test_rule_is_made_changed_found_and_deleted_over_the_api(archive: Archive, client: Client) -> None:
    camera = str(archive.stream.camera_id)
    body = {"name": "Door", "labels": ["person"], "cameras": [camera], "polygon": SQUARE}

    made = client.post(URL, body, content_type="application/json")
    one = f"{URL}{made.json()['id']}/"
    changed = client.patch(one, {"min_duration_s": 2.5}, content_type="application/json")

    assert (made.status_code, made.json()["cameras"], made.json()["polygon"]) == (201, [camera], SQUARE)
    assert (changed.json()["min_duration_s"], changed.json()["cameras"]) == (2.5, [camera])
    for query, count in (
        (f"camera={camera}", 1),
        (f"camera={uuid7()}", 0),
        ("label=person", 1),
        ("search=doo", 1),
    ):
        assert client.get(f"{URL}?{query}").json()["count"] == count
    loaded = representations.load("rule", [Rule.objects.get().pk], system_actor())
    assert [dict(row) for row in loaded.values()] == [client.get(one).json()]
    assert client.delete(one).status_code == 204
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"labels": []}, "labels"),
        ({"labels": [1, {}]}, "labels.1"),
        ({"polygon": [[0, 0], [1, 1]]}, "polygon"),
        ({"polygon": "[[0,0]]"}, "polygon"),
        ({"polygon": None}, "polygon"),
        ({"min_confidence": 7}, "min_confidence"),
        ({"cameras": ["x"]}, "cameras.0"),
        ({"cameras": ["01890000-0000-7000-8000-000000000000"]}, "cameras"),
        ({"cameras": []}, "cameras"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_bodies_name_the_field(
    archive: Archive, client: Client, change: dict[str, Any], field: str
) -> None:
    body = {"name": "Door", "labels": ["person"], "cameras": [str(archive.stream.camera_id)], **change}

    response = client.post(URL, body, content_type="application/json")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert not Rule.objects.exists()


def test_strangers_and_viewers_change_nothing(archive: Archive) -> None:
    rule = make_rule(archive)
    viewer, stranger = Client(), Client()
    viewer.force_login(factories.make_member(archive.account, "viewer").user)
    stranger.force_login(factories.make_member(factories.make_account("Other"), "admin").user)
    one = f"{URL}{rule.pk}/"
    body = {"name": "Mine", "labels": ["person"], "cameras": [str(archive.stream.camera_id)]}

    assert viewer.get(one).status_code == 200
    assert viewer.patch(one, body, content_type="application/json").status_code == 403
    assert viewer.post(URL, body, content_type="application/json").status_code == 403
    assert stranger.get(one).status_code == 404
    assert stranger.delete(one).status_code == 404
    assert stranger.post(URL, body, content_type="application/json").status_code == 400
    assert stranger.get("/api/v1/rule-firings/").json()["count"] == 0
    assert Client().get(URL).status_code == 401
    assert Rule.objects.get().name == "Door"


@pytest.mark.parametrize(
    "condition",
    [
        {"kind": "line", "points": [[0.1, 0.5], [0.9, 0.5]], "direction": "to_left"},
        {"kind": "dwell", "seconds": 30.0},
        {"kind": "count", "at_least": None, "at_most": 0},
        {"kind": "speed", "at_least_kmh": 30, "at_most_kmh": None},
        {"kind": "stationary", "seconds": 60.0},
        {},
    ],
)
def test_a_condition_is_kept_and_reaches_the_model_hosts(
    archive: Archive, client: Client, condition: dict[str, Any]
) -> None:
    body = {"name": "Gate", "labels": ["person"], "all_cameras": True, "condition": condition}

    answer = client.post(URL, body, content_type="application/json")

    assert answer.status_code == 201, answer.content
    assert answer.json()["condition"] == condition
    analytic = Analytic(pk=uuid7(), account=archive.account, camera=archive.stream.camera)
    (frame_rule,) = conditions.frame_rules_of([analytic])[analytic.pk]
    assert encode_condition(frame_rule.condition) == condition
