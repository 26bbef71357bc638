"""Recordings over the API."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.actors import actor_of_user
from apps.accounts.models import User
from apps.core import representations
from apps.recordings.models import CauseKind, Recording, RecordingState, RetentionPolicy
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive

URL = "/api/v1/recordings/"


@pytest.fixture
def operator(archive: Archive) -> User:
    return factories.make_member(archive.account, "operator").user


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def add(archive: Archive, number: int, start: datetime, **fields: Any) -> Recording:
    values: dict[str, Any] = {
        "end": at(start.timestamp() - at(0).timestamp() + 20),
        "state": RecordingState.DONE,
    }
    values |= {"cause_kind": CauseKind.RULE, "wanted_start": start, "start": start, "until": None, **fields}
    owner = {"account": archive.account, "camera": archive.stream.camera, "stream": archive.stream}
    return Recording.objects.create(number=number, **owner, **values)


def numbers(response: Any) -> list[int]:
    return [row["number"] for row in response.json()["results"]]


def test_filters_select_and_the_order_is_newest_first(archive: Archive, client: Client) -> None:
    rule = uuid7()
    add(archive, 1, at(0), labels=["person"], confidence=0.9, cause_id=rule, cause_name="Door")
    add(archive, 2, at(100), labels=["motion", "person"], confidence=0.4, is_held=True)
    add(archive, 3, at(200), labels=["motion"], name="Parcel", cause_kind=CauseKind.USER)

    def found(query: str) -> list[int]:
        return numbers(client.get(f"{URL}?{query}"))

    assert found("") == [3, 2, 1]
    assert found("label=person") == [2, 1]
    assert found("label=Person") == [2, 1]
    assert found("held=true") == [2]
    assert found(f"rule={rule}") == [1]
    assert found("cause_kind=user") == [3]
    assert found("min_confidence=0.5") == [1]
    assert found("search=parc") == [3]
    assert found("search=door") == [1]
    assert found("since=2026-11-20T12:00:30Z&until=2026-11-20T12:03:00Z") == [2]
    assert found(f"camera={archive.stream.camera_id}&ordering=start") == [1, 2, 3]
    assert found(f"stream={uuid7()}") == []
    assert found("number=2") == [2]


def test_bad_filter_names_its_field(client: Client) -> None:
    response = client.get(f"{URL}?since=yesterday")

    assert response.status_code == 400
    assert "since" in response.json()["error"]["fields"]


def test_list_costs_the_same_however_long_it_is(
    archive: Archive, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 30):
        add(archive, number, at(number))
    client.get(URL)

    with django_assert_num_queries(3):  # what fits on a page is counted already
        assert len(numbers(client.get(URL))) == 29


def test_manual_recording_is_started_held_named_stopped_and_deleted(archive: Archive, client: Client) -> None:
    archive.add_rows(-20, 60)
    stream = str(archive.stream.pk)

    created = client.post(URL, {"stream": stream, "name": "Parcel"}, content_type="application/json")
    one = f"{URL}{created.json()['id']}/"
    held = client.post(f"{one}hold/")
    renamed = client.patch(one, {"name": "Post"}, content_type="application/json")
    refused = client.delete(one)
    stopped = client.post(f"{one}stop/")
    client.post(f"{one}release/")

    assert (created.status_code, created.json()["state"], created.json()["number"]) == (201, "active", 1)
    assert held.json()["is_held"] is True
    assert renamed.json()["name"] == "Post"
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert stopped.json()["until"] is not None
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_range_becomes_a_recording_that_tells_where_it_plays(archive: Archive, client: Client) -> None:
    archive.add_rows(0, 60)
    body = {
        "stream": str(archive.stream.pk),
        "start": "2026-11-20T12:00:10.500Z",
        "end": "2026-11-20T12:00:20Z",
    }

    made = client.post(URL, body, content_type="application/json").json()
    parts = client.get(f"{URL}{made['id']}/parts/").json()

    assert (made["start"], made["end"]) == ("2026-11-20T12:00:10.000000Z", "2026-11-20T12:00:20.000000Z")
    assert (made["surplus_s"], made["duration_s"]) == (0.5, 10.0)
    assert made["video_url"] == f"/media/v1/recordings/{made['id']}.mp4"
    assert parts == [{"at_s": 0.0, "start": made["start"], "end": made["end"]}]


def test_growing_recordings_address_names_its_end(archive: Archive, client: Client) -> None:
    row = add(archive, 1, at(0), state=RecordingState.ACTIVE)

    found = client.get(f"{URL}{row.pk}/").json()

    assert found["video_url"] == f"/media/v1/recordings/{row.pk}.mp4?end=2026-11-20T12%3A00%3A20.000000Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "stream"),
        ({"stream": "x"}, "stream"),
        ({"stream": "01890000-0000-7000-8000-000000000000"}, "stream"),
        ({"pre_roll_s": 9999}, "pre_roll_s"),
        ({"duration_s": "long"}, "duration_s"),
        ({"start": "2026-11-20T12:00:00Z"}, "end"),
    ],
)
def test_bad_bodies_name_the_field(
    archive: Archive, client: Client, body: dict[str, Any], field: str
) -> None:
    body = {"stream": str(archive.stream.pk), **body} if body else {}

    response = client.post(URL, body, content_type="application/json")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert not Recording.objects.exists()


def test_fields_that_are_not_the_callers_are_ignored(archive: Archive, client: Client) -> None:
    row = add(archive, 1, at(0))

    body = {
        "name": "x",
        "is_held": True,
        "account": str(uuid7()),
        "number": 99,
        "end": "2030-01-01T00:00:00Z",
    }
    client.patch(f"{URL}{row.pk}/", body, content_type="application/json")

    row.refresh_from_db()
    assert (row.name, row.is_held, row.account_id, row.number, row.end) == (
        "x",
        False,
        archive.account.pk,
        1,
        at(20),
    )


def test_strangers_see_nothing_and_count_nothing(archive: Archive, tmp_path: Any) -> None:
    row = add(archive, 1, at(0))
    client = Client()
    client.force_login(factories.make_member(factories.make_account("Other"), "admin").user)

    assert client.get(URL).json()["count"] == 0
    for address in ("", "parts/"):
        assert client.get(f"{URL}{row.pk}/{address}").status_code == 404
    for action in ("stop", "hold", "release", "extend"):
        assert client.post(f"{URL}{row.pk}/{action}/").status_code == 404
    assert client.delete(f"{URL}{row.pk}/").status_code == 404
    assert Client().get(URL).status_code == 401


def test_viewer_plays_and_changes_nothing(archive: Archive) -> None:
    row = add(archive, 1, at(0))
    client = Client()
    client.force_login(factories.make_member(archive.account, "viewer").user)

    assert client.get(f"{URL}{row.pk}/").status_code == 200
    assert client.post(f"{URL}{row.pk}/hold/").status_code == 403
    assert client.delete(f"{URL}{row.pk}/").status_code == 403


def test_member_limited_to_a_camera_sees_its_recordings_only(archive: Archive, tmp_path: Any) -> None:
    other = make_archive(tmp_path / "volume", archive.account)
    add(archive, 1, at(0))
    add(other, 2, at(0))
    member = factories.make_limited_member(archive.account, "viewer", [other.stream.camera])
    client = Client()
    client.force_login(member.user)

    assert numbers(client.get(URL)) == [2]


def test_news_look_like_the_api(archive: Archive, client: Client, operator: User) -> None:
    row = add(archive, 1, at(0))

    loaded = representations.load("recording", [row.pk], actor_of_user(operator))

    assert dict(loaded[row.pk]) == client.get(f"{URL}{row.pk}/").json()


def test_retention_policies_are_the_administrators(archive: Archive, client: Client) -> None:
    url = "/api/v1/retention-policies/"
    admin = Client()
    admin.force_login(factories.make_member(archive.account, "admin").user)
    body = {"camera": str(archive.stream.camera_id), "max_age_hours": 48}

    assert client.post(url, body, content_type="application/json").status_code == 403
    made = admin.post(url, body, content_type="application/json")
    twice = admin.post(url, body, content_type="application/json")
    whole = admin.post(url, {"max_bytes": 1000}, content_type="application/json")
    bad = admin.post(url, {"max_age_hours": 0}, content_type="application/json")
    changed = admin.patch(
        f"{url}{made.json()['id']}/", {"max_age_hours": 24}, content_type="application/json"
    )

    assert (made.status_code, twice.status_code, whole.status_code, bad.status_code) == (201, 409, 201, 400)
    assert changed.json()["max_age_hours"] == 24
    assert admin.delete(f"{url}{made.json()['id']}/").status_code == 204
    assert RetentionPolicy.objects.get().camera is None
