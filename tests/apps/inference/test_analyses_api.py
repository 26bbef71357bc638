"""Analyses over HTTP: who may begin, see and end them, and how bad requests are told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.catalog.services import builtin_version
from apps.core.models import Task
from apps.inference.analyses.models import Analysis
from apps.streams.models import Stream
from tests.apps.inference.footage import START, store_footage
from tests.apps.inference.rows import make_analytic, make_stream
from tests.factories import make_account, make_limited_member, make_member

URL = "/api/v1/analyses/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Account:
    return make_account()


@pytest.fixture
def stream(home: Account, data_dir: Path, short_visit: Path, tmp_path: Path) -> Stream:
    made = make_stream(home)
    store_footage(made, short_visit, tmp_path)
    return made


def client_of(member: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(member.user)
    return client


def body(stream: Stream, **changes: Any) -> dict[str, Any]:
    return {
        "stream": str(stream.pk),
        "start": START.isoformat(),
        "end": (START + timedelta(seconds=10)).isoformat(),
        "models": [{"model_version": str(builtin_version("people").pk), "values": {"rate_fps": 2}}],
        **changes,
    }


def post(client: Client, content: dict[str, Any], path: str = "") -> Any:
    return client.post(URL + path, content, content_type="application/json")


def test_an_operator_begins_sees_and_cancels_one(home: Account, stream: Stream) -> None:
    client = client_of(make_member(home, "operator"))

    made = post(client, body(stream, name="Who was it?"))
    shown = client.get(f"{URL}{made.json()['id']}/").json()
    early = client.get(f"{URL}{made.json()['id']}/result/")
    cancelled = post(client, {}, f"{made.json()['id']}/cancel/")
    again = post(client, {}, f"{made.json()['id']}/cancel/")

    assert made.status_code == 201
    assert (shown["state"], shown["progress"], shown["left_s"], shown["result_url"]) == (
        "pending",
        0,
        None,
        None,
    )
    assert (shown["name"], shown["analytics"][0]["name"]) == ("Who was it?", "People")
    assert Analysis.objects.get().specs[0]["rate_fps"] == 2
    assert (early.status_code, early.json()["error"]["code"]) == (409, "no_result_yet")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert again.status_code == 409


def test_the_stream_s_own_analytics_can_be_used(home: Account, stream: Stream) -> None:
    analytic = make_analytic(stream, rate_fps=3.0)
    client = client_of(make_member(home, "operator"))

    made = post(client, body(stream, models=[], analytics=[str(analytic.pk)]))

    assert made.json()["analytics"] == [{"id": str(analytic.pk), "name": "people"}]
    assert Analysis.objects.get().specs[0]["rate_fps"] == 3


def test_only_who_may_review_begins_one_and_only_who_may_play_back_sees_it(
    home: Account, stream: Stream
) -> None:
    post(client_of(make_member(home, "operator")), body(stream))
    viewer, stranger = make_member(home, "viewer"), make_member(make_account("Other"), "admin")
    limited = make_limited_member(home, "admin", [])
    address = f"{URL}{Analysis.objects.get().pk}/"

    answers = {
        name: (
            client.get(address).status_code,
            client.delete(address).status_code,
            client.get(URL).json()["count"],
        )
        for name, client in {
            "viewer": client_of(viewer),
            "stranger": client_of(stranger),
            "limited": client_of(limited),
        }.items()
    }

    assert answers == {"viewer": (200, 403, 1), "stranger": (404, 404, 0), "limited": (404, 404, 0)}
    assert post(client_of(viewer), body(stream)).status_code == 403
    assert post(client_of(stranger), body(stream)).json()["error"]["fields"].keys() == {"stream"}
    assert Analysis.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stream": "00000000-0000-0000-0000-000000000001"}, "stream"),
        ({"end": START.isoformat()}, "end"),
        ({"start": "yesterday"}, "start"),
        ({"models": []}, "analytics"),
        ({"models": [{"model_version": "00000000-0000-0000-0000-000000000001"}]}, "models"),
        ({"analytics": ["00000000-0000-0000-0000-000000000001"]}, "analytics"),
        ({"mode": "guess"}, "mode"),
        ({"wait_s": 3600}, "wait_s"),
    ],
)
def test_a_bad_request_names_its_field_and_begins_nothing(
    home: Account, stream: Stream, changes: dict[str, Any], field: str
) -> None:
    answer = post(client_of(make_member(home, "admin")), {**body(stream), **changes})

    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert (Analysis.objects.count(), Task.objects.count()) == (0, 0)


def test_values_that_no_analytic_may_have_are_refused(home: Account, stream: Stream) -> None:
    version = str(builtin_version("people").pk)
    client = client_of(make_member(home, "admin"))

    for values, field in [
        ({"rate_fps": 0}, "rate_fps"),
        ({"regions": [[[0, 0]]]}, "regions"),
        ({"x": 1}, "x"),
    ]:
        answer = post(client, body(stream, models=[{"model_version": version, "values": values}]))
        assert (answer.status_code, [*answer.json()["error"]["fields"]]) == (400, [field])


def test_boxes_want_a_range(home: Account, stream: Stream) -> None:
    client = client_of(make_member(home, "operator"))
    address = f"{URL}{post(client, body(stream)).json()['id']}/boxes/"

    refused = client.get(address)
    empty = client.get(address, {"start": START.isoformat(), "end": (START + timedelta(1)).isoformat()})

    assert (refused.status_code, {*refused.json()["error"]["fields"]}) == (400, {"start", "end"})
    assert empty.json() == []
