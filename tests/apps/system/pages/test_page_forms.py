"""What people enter: what is wrong is answered with 422 and told at its field, and nothing is saved."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role
from apps.cameras.models import Camera
from apps.rules.models import Rule
from apps.streams.models import Mode
from tests.apps.system.pages.conftest import PageHouse

Login = Callable[..., Client]

RULE = {
    "name": "At night",
    "labels": ["person"],
    "min_confidence": "0.5",
    "min_duration_s": "0",
    "cooldown_s": "0",
    "polygon": "[]",
}


def invalid_fields(text: str) -> set[str]:
    """Return the names of the inputs that are marked invalid, after checking that their help exists."""
    inputs = [tag for tag in re.findall(r"<(?:input|select)[^>]*>", text) if 'aria-invalid="true"' in tag]
    for tag in inputs:
        described = re.search(r'aria-describedby="([^"]*)"', tag)
        assert described is None or all(f'id="{one}"' in text for one in described[1].split()), tag
    return {name[1] for tag in inputs if (name := re.search(r'name="([^"]*)"', tag))}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "", "address": "rtsp://camera.local/main"}, "name"),
        ({"name": "Gate", "address": ""}, "address"),
        ({"name": "Gate", "address": "gopher://camera.local/"}, "address"),
        ({"name": "Gate", "address": "rtsp://127.0.0.1/main"}, "address"),
        ({"name": "Gate", "address": "/etc/passwd"}, "address"),
        ({"name": "x" * 121, "address": "rtsp://camera.local/main"}, "name"),
        ({"name": "Ga\0te", "address": "rtsp://camera.local/main"}, "name"),
    ],
)
def test_a_camera_that_cannot_be_added_names_the_field(
    house: PageHouse, log_in: Login, values: dict[str, str], field: str
) -> None:
    browser = log_in(Role.ADMIN)

    response = browser.post(reverse("pages:camera-add"), {**values, "password": "hunter2 is secret"})
    text = response.content.decode()

    assert response.status_code == 422
    assert field in invalid_fields(text)
    assert "data-focus" in text
    assert "hunter2" not in text
    assert Camera.objects.count() == 2


def test_a_camera_is_added_with_a_name_and_an_address(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)

    response = browser.post(reverse("pages:camera-add"), {"name": "Gate", "address": "rtsp://192.0.2.7/main"})

    camera = Camera.objects.get(name="Gate")
    assert response["Location"] == reverse("pages:camera", args=[camera.pk])
    assert camera.account == house.account
    assert camera.streams.count() == 1


def test_a_camera_is_changed_and_keeps_the_password_that_is_not_given(
    house: PageHouse, log_in: Login
) -> None:
    browser = log_in(Role.ADMIN)
    browser.post(
        reverse("pages:camera-add"),
        {"name": "Gate", "address": "rtsp://192.0.2.7/main", "username": "root", "password": "hunter2"},
    )
    camera = Camera.objects.get(name="Gate")
    path = reverse("pages:camera-edit", args=[camera.pk])

    shown = browser.get(path).content.decode()
    browser.post(
        path, {"name": "Gate 2", "address": "rtsp://192.0.2.7/main", "is_enabled": "on", "transport": "udp"}
    )

    changed = Camera.objects.get(pk=camera.pk)
    assert "hunter2" not in shown
    assert (changed.name, changed.is_on_wall, changed.options) == ("Gate 2", False, {"transport": "udp"})
    assert changed.secret == camera.secret


def test_an_address_that_cannot_be_changed_to_names_the_field(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    path = reverse("pages:camera-edit", args=[house.door.camera.pk])

    response = browser.post(path, {"name": "Door", "address": "rtsp://169.254.169.254/latest"})

    assert response.status_code == 422
    assert invalid_fields(response.content.decode()) == {"address"}
    house.door.camera.refresh_from_db()
    assert house.door.camera.address == "synthetic:yard"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"mode": "sometimes", "pre_roll_s": "10", "post_roll_s": "10"}, "mode"),
        ({"mode": "events", "pre_roll_s": "-1", "post_roll_s": "10"}, "pre_roll_s"),
        ({"mode": "events", "pre_roll_s": "10", "post_roll_s": "3000"}, "post_roll_s"),
        ({"mode": "events", "pre_roll_s": "ten", "post_roll_s": "10"}, "pre_roll_s"),
    ],
)
def test_what_is_kept_of_a_stream_is_checked(
    house: PageHouse, log_in: Login, values: dict[str, str], field: str
) -> None:
    browser = log_in(Role.ADMIN)

    response = browser.post(reverse("pages:stream-settings", args=[house.door.stream.pk]), values)

    assert response.status_code == 422
    assert field in invalid_fields(response.content.decode())
    house.door.stream.refresh_from_db()
    assert (house.door.stream.mode, house.door.stream.pre_roll_s) == (Mode.EVENTS, 10)


def test_a_camera_is_removed_after_its_name_was_typed(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    path = reverse("pages:camera-delete", args=[house.door.camera.pk])

    refused = browser.post(path, {"name": "door"})
    assert refused.status_code == 422
    assert invalid_fields(refused.content.decode()) == {"name"}
    assert Camera.objects.count() == 2
    browser.post(path, {"name": "Door"})

    assert [camera.name for camera in Camera.objects.all()] == ["Garden"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"labels": []}, "labels"),
        ({"labels": ["unicorn"]}, "labels"),
        ({"cameras": []}, "cameras"),
        ({"min_confidence": "2"}, "min_confidence"),
        ({"min_confidence": "nan"}, "min_confidence"),
        ({"min_duration_s": "-1"}, "min_duration_s"),
        ({"pre_roll_s": "301"}, "pre_roll_s"),
        ({"condition_kind": "colour"}, "condition_kind"),
        ({"condition_kind": "line", "condition_line": "10,50"}, "condition_kind"),
        ({"condition_kind": "line", "condition_line": "a,b c"}, "condition_kind"),
        ({"condition_kind": "dwell"}, "condition_kind"),
        ({"condition_kind": "count", "condition_low": "inf"}, "condition_low"),
    ],
)
def test_a_rule_that_cannot_be_saved_names_the_field(
    house: PageHouse, log_in: Login, changes: dict[str, Any], field: str
) -> None:
    browser = log_in(Role.OPERATOR)
    values = {**RULE, "cameras": [str(house.door.camera.pk)], **changes}

    response = browser.post(reverse("pages:rule-add"), values)

    assert response.status_code == 422
    assert field in invalid_fields(response.content.decode())
    assert Rule.objects.count() == 2


@pytest.mark.parametrize(
    "polygon", ["nonsense", "{}", "[[0,0],[1,1]]", "[[0,0],[2,2],[0,1]]", '[["a","b"]]', "[" * 50_000]
)
def test_a_zone_that_is_none_is_refused(house: PageHouse, log_in: Login, polygon: str) -> None:
    browser = log_in(Role.OPERATOR)

    response = browser.post(
        reverse("pages:rule-add"), {**RULE, "cameras": [str(house.door.camera.pk)], "polygon": polygon}
    )

    assert response.status_code == 422
    assert 'id="id_polygon_error"' in response.content.decode()
    assert Rule.objects.count() == 2


def test_a_rule_about_all_cameras_stays_one(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR)
    rule = Rule.objects.create(account=house.account, name="Everywhere", labels=["person"], all_cameras=True)
    path = reverse("pages:rule", args=[rule.pk])

    shown = browser.get(path).content.decode()
    browser.post(path, {**RULE, "all_cameras": "on"})

    assert re.search(r'name="all_cameras"[^>]* checked', shown)
    rule.refresh_from_db()
    assert (rule.name, rule.all_cameras, rule.cameras.count()) == ("At night", True, 0)


def test_a_limited_operator_cannot_make_a_rule_about_all_cameras(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR, sees=[house.door.camera])

    response = browser.post(reverse("pages:rule-add"), {**RULE, "all_cameras": "on"})

    assert response.status_code in {404, 422}
    assert Rule.objects.count() == 2


def test_a_rule_cannot_name_a_foreign_camera(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR, sees=[house.door.camera])
    values = {**RULE, "cameras": [str(house.garden.camera.pk)]}

    response = browser.post(reverse("pages:rule", args=[house.door.rule.pk]), values)

    assert response.status_code == 422
    assert [camera.name for camera in house.door.rule.cameras.all()] == ["Door"]


def test_a_rule_is_saved_with_its_zone(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR)
    zone = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]

    browser.post(
        reverse("pages:rule", args=[house.door.rule.pk]),
        {**RULE, "cameras": [str(house.door.camera.pk)], "polygon": json.dumps(zone), "is_enabled": "on"},
    )

    house.door.rule.refresh_from_db()
    assert house.door.rule.polygon == zone
    assert house.door.rule.is_enabled
    assert not house.door.rule.records


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        (
            {"condition_kind": "line", "condition_line": "10,50 90,50", "condition_direction": "to_left"},
            {"kind": "line", "points": [[0.1, 0.5], [0.9, 0.5]], "direction": "to_left"},
        ),
        (
            {"condition_kind": "count", "condition_low": "3"},
            {"kind": "count", "at_least": 3, "at_most": None},
        ),
        ({"condition_low": "3"}, {}),
    ],
)
def test_a_rule_is_saved_with_its_condition_and_shows_it_again(
    house: PageHouse, log_in: Login, changes: dict[str, str], condition: dict[str, Any]
) -> None:
    browser = log_in(Role.OPERATOR)
    path = reverse("pages:rule", args=[house.door.rule.pk])

    browser.post(path, {**RULE, "cameras": [str(house.door.camera.pk)], **changes})

    house.door.rule.refresh_from_db()
    assert house.door.rule.condition == condition
    shown = browser.get(path).content.decode()
    assert ('value="10,50 90,50"' in shown) == (condition.get("kind") == "line")


@pytest.mark.parametrize(
    ("page", "query", "field"),
    [
        ("recordings", "camera=foo", "camera"),
        ("recordings", "since=yesterday", "since"),
        ("recordings", "label=%00", "label"),
        ("recordings", "min_confidence=2", "min_confidence"),
        ("recordings", "rule=foo", "rule"),
        ("recordings", "since=2026-01-15T12:00Z&until=2026-01-15T11:00Z", "until"),
        ("events", "min_confidence=nan", "min_confidence"),
        ("events", "camera=00000000-0000-0000-0000-000000000000", "camera"),
    ],
)
def test_filters_that_make_no_sense_are_named(
    house: PageHouse, log_in: Login, page: str, query: str, field: str
) -> None:
    browser = log_in(Role.VIEWER)

    response = browser.get(f"{reverse(f'pages:{page}')}?{query}")

    assert response.status_code == 422
    assert invalid_fields(response.content.decode()) == {field}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 2),
        ("label=person", 2),
        ("label=cat", 0),
        ("since=2026-01-15T12:00:10Z", 2),
        ("since=2026-01-15T14:00:10%2B02:00", 2),
        ("since=2026-01-15T12:01Z", 0),
        ("until=2026-01-15T11:59Z", 0),
        ("held=on", 0),
        ("page=7", 2),
        ("cursor=x", 2),
        ("search=door", 1),
        ("search=nobody", 0),
        ("min_confidence=0.85", 2),
        ("min_confidence=0.95", 0),
        ("cause_kind=rule", 2),
        ("cause_kind=user", 0),
        ("sort=oldest", 2),
        ("sort=confidence", 2),
    ],
)
def test_recordings_are_filtered(house: PageHouse, log_in: Login, query: str, expected: int) -> None:
    browser = log_in(Role.VIEWER)

    response = browser.get(f"{reverse('pages:recordings')}?{query}")

    assert response.status_code == 200
    assert response.content.decode().count('class="card"') == expected


def test_an_address_is_tried_and_refused_in_words(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)

    partial = browser.post(
        reverse("pages:camera-probe"), {"address": "rtsp://127.0.0.1/main"}, headers={"HX-Request": "true"}
    )
    whole = browser.post(reverse("pages:camera-probe"), {"address": ""})

    assert partial.status_code == 200
    assert 'role="alert"' in partial.content.decode()
    assert "<html" not in partial.content.decode()
    assert whole.status_code == 422
    assert Camera.objects.count() == 2
