"""Streams: made, shown, replaced and removed, with a camera behind each."""

from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from apps.accounts.access import system_actor
from apps.cameras.logins import login_of
from apps.cameras.models import Camera
from apps.cameras.services import add_camera
from apps.dialects.luna.models import LunaStream
from apps.inference.models import Analytic
from apps.rules.models import Rule
from apps.streams.life import Life
from apps.streams.models import Source, Stream
from tests.apps.dialects.luna.house import Luna, error_of, make_luna, stream_body

WORDS: dict[str, Any] = {
    "name": "gate",
    "description": "the gate to the yard",
    "data": {
        "type": "tcp",
        "reference": "rtsp://10.0.0.5/main",
        "ffmpeg_kwargs": {"rtsp_transport": "tcp"},
        "newer": 1,
    },
    "location": {"city": "Riga", "geo_position": {"longitude": 24.1, "latitude": 56.9}},
    "event_source_group": "group-123",
    "source": "3rd Avenue",
    "autorestart": {"restart": 1, "attempt_count": 2, "delay": 1},
    "analytics": [
        {"analytic_name": "people_count", "parameters": {"people_count_threshold": 2}, "label": "entrance"},
        {"analytic_name": "motion"},
    ],
    "notification_policy": {"callbacks": []},
    "groups": ["north", "doors"],
    "splittable": 1,
}
ALL = "stream_id,account_id,name,description,data,location,source,event_source_group,version,create_time"
ALL += ",last_error,groups,status,splittable,analytics,notification_policy,autorestart"


def test_what_a_client_says_comes_back(luna: Luna) -> None:
    answer = luna.ask("POST", "/2/streams", WORDS)
    stream_id = answer.json()["stream_id"]

    assert (answer.status_code, answer.json()) == (
        201,
        {"stream_id": stream_id, "url": f"/2/streams/{stream_id}"},
    )
    assert answer["Location"] == f"{luna.base}/2/streams/{stream_id}"
    shown = luna.get(f"/2/streams/{stream_id}?targets={ALL}")
    facts = {name: shown.pop(name) for name in ("stream_id", "account_id", "version", "last_error", "status")}
    assert facts == {
        "stream_id": stream_id,
        "account_id": str(luna.account.pk),
        "version": 1,
        "last_error": None,
        "status": 0,
    }
    assert shown.pop("create_time").endswith("Z")
    assert shown == {**WORDS, "splittable": True}
    assert set(luna.get(f"/2/streams/{stream_id}")) == set(ALL.split(",")) - {
        "event_source_group",
        "autorestart",
    }


def test_it_is_a_camera_with_exactly_the_wanted_analytics(luna: Luna) -> None:
    stream = Stream.objects.get(pk=luna.create(**WORDS))

    assert (stream.camera.name, stream.camera.driver) == ("gate", "rtsp")
    assert (stream.camera.address, stream.camera.options) == ("rtsp://10.0.0.5/main", {"transport": "tcp"})
    first, second = Analytic.objects.filter(stream=stream).order_by("number")
    assert (first.number, first.kind, first.label) == (0, "people_count", "entrance")
    assert (second.number, second.model_version.model.slug) == (1, "motion")
    assert not Rule.objects.filter(account=luna.account).exists()
    assert (stream.source.restart_limit, stream.source.restart_delay_s) == (2, 1.0)


def test_a_login_in_the_reference_is_sealed_and_never_shown(luna: Luna) -> None:
    reference = "rtsp://admin:s3cret-pw@10.0.0.5/main"
    stream_id = luna.create(data={"type": "udp", "reference": reference})

    assert login_of(Camera.objects.get()) == ("admin", "s3cret-pw")
    assert luna.get(f"/2/streams/{stream_id}")["data"]["reference"] == "rtsp://10.0.0.5/main"
    assert "s3cret-pw" not in str(LunaStream.objects.values())
    for wanted in (reference, "rtsp://10.0.0.5/main"):
        assert len(luna.get("/2/streams", reference=wanted)["streams"]) == 1
    assert luna.get("/2/streams", reference="rtsp://10.0.0.5/")["streams"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": None}, "'data'"),
        ({"analytics": None}, "'analytics'"),
        ({"analytics": []}, "'analytics'"),
        ({"name": "x" * 129}, "'name'"),
        ({"name": "   "}, "'name'"),
        ({"description": "x" * 513}, "'description'"),
        ({"event_source_group": "a b"}, "'event_source_group'"),
        ({"event_source_group": "a\n"}, "'event_source_group'"),
        ({"source": "x" * 129}, "'source'"),
        ({"data": {"type": "stream"}}, "'data.reference'"),
        ({"data": {"reference": "rtsp://10.0.0.5/"}}, "'data.type'"),
        ({"data": {"type": "film", "reference": "rtsp://10.0.0.5/"}}, "'data.type'"),
        ({"data": {"type": "images", "reference": "/pictures"}}, "'data.type'"),
        ({"data": {"type": "tcp", "reference": "http://10.0.0.5/"}}, "'data.reference'"),
        ({"data": {"type": "stream", "reference": "gopher://10.0.0.5/"}}, "'data.reference'"),
        ({"data": {"type": "stream", "reference": "rtsp://127.0.0.1/"}}, "'data.reference'"),
        ({"data": {"type": "videofile", "reference": "/etc/passwd"}}, "'data.reference'"),
        ({"data": {"type": "videofile", "reference": "../../etc/passwd"}}, "'data.reference'"),
        ({"data": {"type": "stream", "reference": "synthetic:yard", "rotation": 45}}, "'data.rotation'"),
        ({"data": {"type": "stream", "reference": "synthetic:yard", "rotation": 90}}, "'data.rotation'"),
        (
            {"location": {"geo_position": {"longitude": 181, "latitude": 0}}},
            "'location.geo_position.longitude'",
        ),
        ({"autorestart": {"restart": 2}}, "'autorestart.restart'"),
        ({"autorestart": {"restart": 1, "delay": -1}}, "'autorestart.delay'"),
        ({"analytics": [{"parameters": {}}]}, "'analytics.0.analytic_name'"),
        ({"analytics": [{"analytic_name": "people_count", "targets": ["faces"]}]}, "'analytics.0.targets'"),
        ({"notification_policy": {"callbacks": [{"type": "http"}]}}, "'notification_policy.callbacks.0.url'"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_made(luna: Luna, changes: Any, words: str) -> None:
    body = {name: value for name, value in {**stream_body(), **changes}.items() if value is not None}
    status, number, detail = error_of(luna.ask("POST", "/2/streams", body))

    assert (status, number) == (400, 12022)
    assert f"Path: {words}" in detail
    assert (Camera.objects.count(), Stream.objects.count(), LunaStream.objects.count()) == (0, 0, 0)


def test_an_analytic_that_nobody_has_is_unprocessable(luna: Luna) -> None:
    analytics = [{"analytic_name": "motion"}, {"analytic_name": "human_tracking"}]
    status, number, detail = error_of(luna.ask("POST", "/2/streams", stream_body(analytics=analytics)))

    assert (status, number) == (422, 44014)
    assert "analytics.1" in detail
    assert Camera.objects.count() == 0


def test_what_is_away_is_taken_all_the_same(luna: Luna, settings: Settings, tmp_path: Any) -> None:
    settings.OMMA_DATA_DIR = tmp_path
    gone = luna.create(data={"type": "videofile", "reference": "clips/gone.mp4"})

    camera = Camera.objects.get(streams=UUID(gone))
    assert camera.address == str(tmp_path / "media" / "clips" / "gone.mp4")
    assert camera.options == {"loop": False}


def test_a_replaced_stream_is_the_same_one_version_later(luna: Luna) -> None:
    stream_id = luna.create(**WORDS)
    answer = luna.ask(
        "PUT", f"/2/streams/{stream_id}", stream_body(name="yard", analytics=[{"analytic_name": "faces"}])
    )

    assert (answer.status_code, answer.json()["stream_id"]) == (200, stream_id)
    shown = luna.get(f"/2/streams/{stream_id}")
    assert (shown["name"], shown["version"], shown["source"]) == ("yard", 2, None)
    assert shown["analytics"] == [{"analytic_name": "faces"}]
    analytic = Analytic.objects.get(stream_id=stream_id)
    assert (analytic.number, analytic.model_version.model.slug) == (0, "faces")
    assert Camera.objects.get().driver == "synthetic"


def test_a_refused_replacement_changes_nothing(luna: Luna) -> None:
    stream_id = luna.create(**WORDS)
    before = luna.get(f"/2/streams/{stream_id}?targets={ALL}")
    bad = stream_body(
        analytics=[{"analytic_name": "motion", "schedules": [{"start": "10:00", "end": "10:00"}]}]
    )
    refused = luna.ask("PUT", f"/2/streams/{stream_id}", bad)

    assert error_of(refused)[:2] == (400, 12022)
    assert "'analytics.0.schedules'" in error_of(refused)[2]
    assert luna.get(f"/2/streams/{stream_id}?targets={ALL}") == before


def test_a_removed_stream_is_gone_with_its_camera(luna: Luna) -> None:
    stream_id = luna.create()
    answer = luna.ask("DELETE", f"/2/streams/{stream_id}")

    assert (answer.status_code, answer.json()) == (200, {})
    assert error_of(luna.ask("GET", f"/2/streams/{stream_id}"))[:2] == (404, 44001)
    assert error_of(luna.ask("DELETE", f"/2/streams/{stream_id}"))[:2] == (404, 44001)
    assert Camera.objects.count() == 0


def test_stopping_and_resuming_count_what_changed(luna: Luna) -> None:
    stream_id = luna.create()
    path = f"/2/streams/{stream_id}"

    counts = [
        luna.ask("PATCH", f"{path}?action={action}").json()["patched_count"]
        for action in ("stop", "stop", "resume", "resume")
    ]

    assert counts == [1, 0, 1, 0]
    assert Source.objects.get().life == Life.PENDING
    for action, number in (("pause", 12012), ("", 12014)):
        assert error_of(luna.ask("PATCH", f"{path}?action={action}"))[:2] == (400, number)
    assert error_of(luna.ask("PATCH", path))[:2] == (400, 12014)


def test_another_accounts_stream_is_as_if_it_were_not_there(luna: Luna) -> None:
    stream_id = luna.create()
    other = make_luna()

    for method, path, body in (
        ("GET", f"/2/streams/{stream_id}", None),
        ("PUT", f"/2/streams/{stream_id}", stream_body()),
        ("PATCH", f"/2/streams/{stream_id}?action=stop", None),
        ("DELETE", f"/2/streams/{stream_id}", None),
    ):
        assert error_of(other.ask(method, path, body))[:2] == (404, 44001), method
    assert other.get("/2/streams") == {"streams": []}
    assert error_of(luna.ask("GET", f"/2/streams/{stream_id}?account_id={other.account.pk}"))[:2] == (
        404,
        44001,
    )
    assert luna.get(f"/2/streams?account_id={other.account.pk}") == {"streams": []}
    assert luna.get(f"/2/streams/{stream_id}?account_id={luna.account.pk}")["stream_id"] == stream_id


def test_a_camera_added_in_another_way_is_a_stream_too(luna: Luna) -> None:
    add_camera(
        actor=system_actor(), account=luna.account, name="Door", address="rtsp://user:pw@10.0.0.9/live"
    )
    (shown,) = luna.get("/2/streams")["streams"]

    assert shown["name"] == "Door"
    assert shown["data"] == {"type": "tcp", "reference": "rtsp://10.0.0.9/live"}
    assert [one["analytic_name"] for one in shown["analytics"]] == ["motion", "people"]
    assert (shown["version"], shown["description"], shown["groups"], shown["splittable"]) == (
        1,
        "",
        [],
        False,
    )
