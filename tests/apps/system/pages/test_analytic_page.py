"""The page of an analytic: what it saves, what it refuses by name, what it leaves alone, and who may."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role
from apps.inference.models import Analytic
from tests.apps.inference.rows import make_analytic
from tests.apps.system.pages.conftest import PageHouse
from tests.apps.system.pages.test_page_forms import invalid_fields

Login = Callable[..., Client]
VALUES = {"name": "Gate", "kind": "objects", "rate_fps": "2", "min_confidence": "0.5", "polygon": "[]"}
ZONE = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]


@pytest.fixture
def analytic(house: PageHouse) -> Analytic:
    return make_analytic(house.door.stream)


def path_of(analytic: Analytic) -> str:
    return reverse("pages:analytic", args=[analytic.pk])


def test_an_analytic_is_changed_and_shows_it_again(analytic: Analytic, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    values = {
        **VALUES, "label": "entrance", "labels": ["person"], "polygon": json.dumps(ZONE), "opens": "08:00",
        "weekdays": ["1", "5"], "timezone": "Europe/Berlin", "kind": "people_count", "at_least": "3",
    }  # fmt: skip

    response = browser.post(path_of(analytic), values)

    assert response.status_code == 302, invalid_fields(response.content.decode())
    analytic.refresh_from_db()
    assert (analytic.name, analytic.label, analytic.labels) == ("Gate", "entrance", ["person"])
    assert (analytic.regions, analytic.rate_fps) == ([ZONE], 2.0)
    assert analytic.schedule == [
        {"weekdays": [1, 5], "start": "08:00", "end": "24:00", "timezone": "Europe/Berlin"}
    ]
    assert (analytic.kind, analytic.counting["at_least"]) == ("people_count", 3)
    shown = browser.get(path_of(analytic)).content.decode()
    for text in ('value="entrance"', 'value="08:00"', 'value="Europe/Berlin"', "[[0.1, 0.1]"):
        assert text in shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"rate_fps": "100"}, "rate_fps"),
        ({"min_confidence": "nan"}, "min_confidence"),
        ({"labels": ["unicorn"]}, "labels"),
        ({"opens": "25:00"}, "opens"),
        ({"opens": "08:00", "timezone": "Mars"}, "opens"),
        ({"weekdays": ["9"]}, "weekdays"),
        ({"kind": "people_count", "at_least": "5", "at_most": "2"}, "at_least"),
        ({"kind": "dance"}, "kind"),
    ],
)
def test_what_cannot_be_saved_names_the_field(
    analytic: Analytic, log_in: Login, changes: dict[str, Any], field: str
) -> None:
    response = log_in(Role.ADMIN).post(path_of(analytic), {**VALUES, **changes})

    assert response.status_code == 422
    assert field in invalid_fields(response.content.decode())
    analytic.refresh_from_db()
    assert analytic.name == "people"


@pytest.mark.parametrize("polygon", ["nonsense", "{}", "[[0,0],[1,1]]", "[" * 50_000])
def test_a_zone_that_is_none_is_refused(analytic: Analytic, log_in: Login, polygon: str) -> None:
    response = log_in(Role.ADMIN).post(path_of(analytic), {**VALUES, "polygon": polygon})

    assert response.status_code == 422
    assert 'id="id_polygon_error"' in response.content.decode()


def test_what_is_too_rich_for_the_form_is_left_alone(analytic: Analytic, log_in: Login) -> None:
    regions = [ZONE, {"points": ZONE, "name": "door"}]
    schedule = [
        {"weekdays": [1], "start": start, "end": end, "timezone": "UTC"}
        for start, end in (("08:00", "12:00"), ("13:00", "17:00"))
    ]
    Analytic.objects.update(regions=regions, schedule=schedule)

    log_in(Role.ADMIN).post(path_of(analytic), VALUES)

    analytic.refresh_from_db()
    assert (analytic.name, analytic.regions, analytic.schedule) == ("Gate", regions, schedule)


def test_only_who_manages_the_camera_may(house: PageHouse, analytic: Analytic, log_in: Login) -> None:
    path = path_of(analytic)

    assert log_in(Role.OPERATOR).get(path).status_code == 403
    assert log_in(Role.ADMIN, sees=[house.garden.camera]).post(path, VALUES).status_code == 404
    analytic.refresh_from_db()
    assert analytic.name == "people"
