"""Streams over the API: what is kept of them, their timeline, and who may see and change that."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account, Member
from apps.core.models import AuditEntry, Outbox
from apps.streams.models import Gap, Source, Stream, StreamLog
from apps.streams.sinks import CaptureSink
from apps.streams.state_news import apply_state
from apps.streams.volumes import ensure_default_volume
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import at, own
from tests.apps.streams.test_sink import BLOCK, life_of
from tests.factories import make_account, make_camera, make_limited_member, make_member, make_superuser


@pytest.fixture
def home(db: Any, data_dir: Any) -> Account:
    ensure_default_volume()
    return make_account()


@pytest.fixture
def stream(home: Account) -> Stream:
    stream = add_stream(home, "synthetic:yard", mode="events")
    Stream.objects.filter(id=stream.id).update(created_at=at(0))
    return stream


def login(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def patch(client: Client, stream: Stream, **body: Any) -> Any:
    return client.patch(f"/api/v1/streams/{stream.id}/", body, content_type="application/json")


def test_a_new_camera_has_one_stream_that_records_on_events(home: Account, stream: Stream) -> None:
    row = login(make_member(home)).get(f"/api/v1/streams/{stream.id}/").json()

    assert (row["name"], row["mode"], row["pre_roll_s"], row["post_roll_s"]) == ("main", "events", 10, 10)
    assert row["source"] == str(stream.source_id)


def test_a_stream_shows_the_state_and_reason_of_its_source(home: Account, stream: Stream) -> None:
    news = {"at_us": 1_000_000, "state": "reconnecting", "code": "unauthorized", "detail": "401 Unauthorized"}
    Outbox.objects.all().delete()
    apply_state(stream.source_id, news)

    row = login(make_member(home)).get(f"/api/v1/streams/{stream.id}/").json()

    assert (row["status"], row["status_code"]) == ("reconnecting", "unauthorized")
    assert row["status_detail"] == "401 Unauthorized"
    assert row["status_at"] == "1970-01-01T00:00:01.000000Z"
    assert (row["life"], row["life_detail"]) == ("failure", "401 Unauthorized")
    told = {"source.updated", "stream.updated", "stream.status"}
    assert set(Outbox.objects.values_list("kind", flat=True)) == told


def test_an_admin_changes_what_is_kept(home: Account, stream: Stream) -> None:
    Outbox.objects.all().delete()

    answer = patch(login(make_member(home, "admin")), stream, mode="continuous", pre_roll_s=20)

    assert answer.status_code == 200
    assert (answer.json()["mode"], answer.json()["pre_roll_s"], answer.json()["post_roll_s"]) == (
        "continuous",
        20,
        10,
    )
    assert Outbox.objects.get().kind == "stream.updated"
    assert AuditEntry.objects.filter(action="stream.updated").count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "sometimes"}, "mode"),
        ({"pre_roll_s": 301}, "pre_roll_s"),
        ({"post_roll_s": -1}, "post_roll_s"),
    ],
)
def test_a_bad_value_names_its_field(home: Account, stream: Stream, body: Any, field: str) -> None:
    answer = patch(login(make_member(home, "admin")), stream, **body)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    stream.refresh_from_db()
    assert (stream.mode, stream.pre_roll_s, stream.post_roll_s) == ("events", 10, 10)


def test_an_operator_may_not_change_it(home: Account, stream: Stream) -> None:
    assert patch(login(make_member(home, "operator")), stream, mode="off").status_code == 403


def test_another_accounts_stream_does_not_exist(home: Account, stream: Stream) -> None:
    stranger = login(make_member(make_account("Other"), "admin"))

    for path in ("", "timeline/?start=2026-03-02T12:00:00Z&end=2026-03-02T13:00:00Z", "statistics/"):
        assert stranger.get(f"/api/v1/streams/{stream.id}/{path}").status_code == 404
    assert patch(stranger, stream, mode="off").status_code == 404
    assert stranger.post(f"/api/v1/streams/{stream.id}/restart/").status_code == 404
    assert stranger.get("/api/v1/streams/").json()["count"] == 0
    assert stranger.get(f"/api/v1/sources/{stream.source_id}/log/").status_code == 404


def test_restart_raises_the_serial_and_says_who(home: Account, stream: Stream) -> None:
    member = make_member(home, "admin")

    answer = login(member).post(f"/api/v1/streams/{stream.id}/restart/")

    assert answer.status_code == 200
    assert Source.objects.get(id=stream.source_id).restart_serial == 1
    entry = StreamLog.objects.get(code="restart")
    assert entry.actor_name == member.user.username


def test_the_timeline_joins_segments_and_names_gaps(home: Account, stream: Stream) -> None:
    own(stream, BLOCK)
    life = life_of(stream)
    CaptureSink().commit([*life.whole(1, 0, 4), *life.whole(2, 4, 4), life.gap(8, None, "network")])

    answer = login(make_member(home)).get(
        f"/api/v1/streams/{stream.id}/timeline/",
        {"start": at(2).isoformat(), "end": at(20).isoformat()},
    )

    assert [(span["kind"], span["cause"], span["start"], span["end"]) for span in answer.json()] == [
        ("recorded", "", "2026-03-02T12:00:02.000000Z", "2026-03-02T12:00:08.000000Z"),
        ("gap", "network", "2026-03-02T12:00:08.000000Z", "2026-03-02T12:00:20.000000Z"),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=2026-03-02T12:00:00Z", "end"),
        ("start=x&end=2026-03-02T12:00:00Z", "start"),
        ("start=2026-03-02T12:00:00Z&end=2026-03-02T12:00:00Z", "end"),
    ],
)
def test_a_bad_range_names_its_field(home: Account, stream: Stream, query: str, field: str) -> None:
    answer = login(make_member(home)).get(f"/api/v1/streams/{stream.id}/timeline/?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_segments_and_gaps_are_found_by_time(home: Account, stream: Stream) -> None:
    own(stream, BLOCK)
    life = life_of(stream)
    CaptureSink().commit([*life.whole(1, 0, 4), *life.whole(2, 10, 4)])
    client = login(make_member(home))
    query = {"start": at(3).isoformat(), "end": at(10).isoformat(), "stream": str(stream.id)}

    segments = client.get("/api/v1/segments/", query).json()
    gaps = client.get("/api/v1/gaps/", query).json()

    assert [row["start"] for row in segments["results"]] == ["2026-03-02T12:00:00.000000Z"]
    assert "path" not in segments["results"][0]
    assert [row["cause"] for row in gaps["results"]] == ["camera"]


def test_statistics_count_what_is_stored(home: Account, stream: Stream) -> None:
    own(stream, BLOCK)
    CaptureSink().commit(life_of(stream).whole(1, 0, 4))

    answer = login(make_member(home)).get(f"/api/v1/streams/{stream.id}/statistics/").json()

    assert (answer["segments"], answer["stored_bytes"]) == (1, 4800)
    assert answer["newest"] == "2026-03-02T12:00:04.000000Z"


def test_a_member_with_grants_sees_only_those_streams(home: Account, stream: Stream) -> None:
    other = make_camera(home)
    client = login(make_limited_member(home, "viewer", [other]))

    assert client.get("/api/v1/streams/").json()["count"] == 0
    assert client.get(f"/api/v1/streams/{stream.id}/").status_code == 404


def test_volumes_are_for_superusers(home: Account) -> None:
    assert login(make_member(home, "admin")).get("/api/v1/volumes/").json()["count"] == 0

    client = Client()
    client.force_login(make_superuser())
    (row,) = client.get("/api/v1/volumes/").json()["results"]
    assert (row["name"], row["state"], row["is_default"]) == ("default", "ready", True)
    assert row["root"].endswith("/volumes/default")
    assert "secret" not in row


@pytest.mark.parametrize("path", ["streams", "sources", "segments", "gaps", "volumes"])
def test_nothing_is_open_without_a_login(db: Any, path: str) -> None:
    assert Client().get(f"/api/v1/{path}/").status_code == 401


@pytest.mark.parametrize("model", ["source", "stream", "streamlog", "volume", "segment", "gap"])
def test_the_admin_lists_and_shows_each_model(home: Account, stream: Stream, model: str) -> None:
    own(stream, BLOCK)
    life = life_of(stream)
    CaptureSink().commit([life.state("live", 0), *life.whole(1, 0, 4), life.gap(4, 5)])
    client = Client()
    client.force_login(make_superuser())

    assert client.get(f"/admin/streams/{model}/").status_code == 200
    if model in {"source", "stream"}:
        row = stream if model == "stream" else stream.source
        assert client.get(f"/admin/streams/{model}/{row.pk}/change/").status_code == 200


def test_the_admin_restarts_sources(home: Account, stream: Stream) -> None:
    client = Client()
    client.force_login(make_superuser())

    client.post("/admin/streams/source/", {"action": "restart", "_selected_action": [str(stream.source_id)]})

    assert Source.objects.get(id=stream.source_id).restart_serial == 1


def test_gaps_that_are_open_go_on(home: Account, stream: Stream) -> None:
    gap = Gap.objects.create(
        account_id=home.id, camera_id=stream.camera_id, stream=stream, start=at(0), cause="policy"
    )
    later = (at(0) + timedelta(days=30)).isoformat()

    rows = login(make_member(home)).get("/api/v1/gaps/", {"start": later}).json()["results"]

    assert [row["id"] for row in rows] == [str(gap.id)]
