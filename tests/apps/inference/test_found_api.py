"""Tracks, events and minutes over HTTP: filters, rights before counts, pictures, and their end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.test.utils import override_settings

from apps.accounts.actors import actor_of_user
from apps.accounts.models import Account, Member
from apps.core import representations
from apps.inference.cleaning import clean_up
from apps.inference.models import Event, MinuteSummary, Track
from apps.streams.models import Stream
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.inference.rows import make_stream

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return factories.make_account()


@pytest.fixture
def stream(account: Account) -> Stream:
    return make_stream(account)


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def key(at: datetime) -> UUID:
    return uuid7(int(at.timestamp() * 1000))


def track(stream: Stream, *, at: datetime = AT, **fields: Any) -> Track:
    values = {
        "label": "person",
        "confidence": 0.8,
        "number": 0,
        "start": at,
        "end": at,
        "best_at": at,
        **fields,
    }
    return Track.objects.create(
        id=key(at),
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream_id=stream.pk,
        analytic_id=UUID(int=1),
        **values,
    )


def event(stream: Stream, *, at: datetime = AT, **fields: Any) -> Event:
    values = {"kind": "rule", "label": "person", "confidence": 0.8, "start": at, "end": at, **fields}
    return Event.objects.create(
        id=key(at), account_id=stream.account_id, camera_id=stream.camera_id, stream_id=stream.pk, **values
    )


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


@pytest.mark.parametrize(("make", "address"), [(track, "/api/v1/tracks/"), (event, "/api/v1/events/")])
def test_filters_choose_by_camera_label_confidence_and_time(
    account: Account, stream: Stream, make: Any, address: str
) -> None:
    other = make_stream(account)
    first = make(stream)
    dog = make(other, label="dog", confidence=0.4, at=AT + timedelta(hours=1))
    client = client_of(factories.make_member(account, "viewer"))

    def found(**query: Any) -> set[str]:
        return ids(client.get(address, query))

    assert found() == {str(first.pk), str(dog.pk)}
    assert found(camera=stream.camera_id) == {str(first.pk)}
    assert found(stream=other.pk) == {str(dog.pk)}
    assert found(label="dog") == {str(dog.pk)}
    assert found(min_confidence=0.5) == {str(first.pk)}
    assert found(start=(AT + timedelta(minutes=1)).isoformat()) == {str(dog.pk)}
    assert found(end=(AT + timedelta(minutes=1)).isoformat()) == {str(first.pk)}
    assert client.get(address, {"start": "yesterday"}).json()["error"]["fields"].keys() == {"start"}
    assert client.get(address, {"min_confidence": 2}).status_code == 400


def test_events_are_chosen_by_kind_and_by_whether_they_go_on(account: Account, stream: Stream) -> None:
    going_on = event(stream, end=None)
    system = event(stream, kind="system", at=AT + timedelta(minutes=1))
    client = client_of(factories.make_member(account, "viewer"))

    assert ids(client.get("/api/v1/events/", {"kind": "system"})) == {str(system.pk)}
    assert ids(client.get("/api/v1/events/", {"is_going_on": "true"})) == {str(going_on.pk)}
    assert client.get("/api/v1/events/", {"kind": "party"}).status_code == 400


@pytest.mark.parametrize(("make", "address"), [(track, "/api/v1/tracks/"), (event, "/api/v1/events/")])
def test_counts_and_rows_show_only_granted_cameras(
    account: Account, stream: Stream, make: Any, address: str
) -> None:
    mine, hidden = make(stream), make(make_stream(account), at=AT + timedelta(minutes=1))
    make(make_stream(factories.make_account("Foreign")), at=AT + timedelta(minutes=2))
    limited = client_of(factories.make_limited_member(account, "viewer", [stream.camera]))

    answer = limited.get(address)

    assert answer.json()["count"] == 1
    assert ids(answer) == {str(mine.pk)}
    assert limited.get(f"{address}{hidden.pk}/").status_code == 404
    assert Client().get(address).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_pictures_follow_the_right_to_their_camera(account: Account, stream: Stream, tmp_path: Path) -> None:
    folder = tmp_path / "thumbnails" / "tracks"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"\xff\xd8picture")
    row = track(stream, crop="thumbnails/tracks/a.jpg")
    gone = event(stream, snapshot="thumbnails/tracks/gone.jpg")
    outside = track(stream, crop="../../etc/passwd", at=AT + timedelta(minutes=1))
    address = f"/media/v1/tracks/{row.pk}/crop.jpg"
    member = client_of(factories.make_member(account, "viewer"))

    with override_settings(OMMA_DATA_DIR=tmp_path):
        shown = member.get(address)
        foreign = client_of(factories.make_member(factories.make_account("Foreign"), "admin")).get(address)
        missing = member.get(f"/media/v1/events/{gone.pk}/snapshot.jpg")
        escaped = member.get(f"/media/v1/tracks/{outside.pk}/crop.jpg")
        anonymous = Client().get(address)

    assert (shown.status_code, shown["Content-Type"], shown["Content-Length"]) == (200, "image/jpeg", "9")
    assert shown["Cache-Control"] == "private, no-store"
    statuses = [answer.status_code for answer in (foreign, missing, escaped, anonymous)]
    assert statuses == [404, 404, 404, 401]
    assert member.get(f"/api/v1/tracks/{row.pk}/").json()["crop"] == address
    shown.close()


def test_sockets_show_what_the_api_shows(account: Account, stream: Stream) -> None:
    row = event(stream)
    member = factories.make_member(account, "viewer")
    stranger = factories.make_member(factories.make_account("Foreign"), "viewer")

    shown = representations.load("event", [row.pk], actor_of_user(member.user))
    hidden = representations.load("event", [row.pk], actor_of_user(stranger.user))

    assert shown[row.pk]["label"] == "person"
    assert hidden == {}
    assert {"analytic", "event", "track", "model"} <= representations.registered_kinds()


def test_minutes_are_listed_by_stream_and_time(account: Account, stream: Stream) -> None:
    for minute in range(3):
        MinuteSummary.objects.create(
            account_id=account.pk,
            camera_id=stream.camera_id,
            stream_id=stream.pk,
            minute=AT + timedelta(minutes=minute),
            motion=minute / 10,
        )
    client = client_of(factories.make_member(account, "viewer"))

    query = {"stream": str(stream.pk), "start": (AT + timedelta(minutes=1)).isoformat()}
    answer = client.get("/api/v1/minutes/", query)

    assert [row["motion"] for row in answer.json()["results"]] == [0.2, 0.1]


def test_what_is_past_its_time_goes_with_its_pictures(stream: Stream, tmp_path: Path) -> None:
    old, new = AT - timedelta(days=31), AT - timedelta(days=29)
    for at in (old, new):
        track(stream, at=at)
        event(stream, at=at)
        day = tmp_path / "thumbnails" / "tracks" / f"{at:%Y%m%d}"
        day.mkdir(parents=True)
        (day / "x.jpg").write_bytes(b"x")

    with override_settings(OMMA_DATA_DIR=tmp_path):
        message = clean_up(AT)

    assert message == "1 tracks, 1 events, 0 analyses, 0 minutes, 1 days of pictures"
    assert [row.start for row in Track.objects.all()] == [new]
    assert [path.name for path in (tmp_path / "thumbnails" / "tracks").iterdir()] == [f"{new:%Y%m%d}"]


def test_tracks_are_found_by_zone_size_and_speed(account: Account, stream: Stream) -> None:
    client = client_of(factories.make_member(account))
    door = track(stream, zones=["door"], size_min=0.01, size_max=0.2, top_speed_kmh=31.5)
    track(stream, at=AT + timedelta(seconds=1), zones=["doorway"], size_min=0.01, size_max=0.02)

    def ids(**wanted: Any) -> list[str]:
        answer = client.get("/api/v1/tracks/", wanted)
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["results"]]

    assert ids(zone="door") == ids(min_size=0.1) == ids(min_speed_kmh=30) == [str(door.pk)]
    assert len(ids(max_size=0.2)) == 2
    assert ids(zone="door", max_size=0.1) == ids(zone="'; DROP TABLE") == []
    assert client.get("/api/v1/tracks/", {"min_size": "large"}).status_code == 400
