"""Callbacks: what an analytic counts and what becomes of a stream, posted in Luna's words."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from apps.alerts.models import Target
from apps.core import outbox
from apps.inference.models import Analytic
from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Source
from tests.apps.alerts.conftest import hand_over, send
from tests.apps.alerts.sink import Sink
from tests.apps.dialects.luna.house import Luna, error_of, stream_body

AT_US = 1_795_251_600_000_000


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]


def create(luna: Luna, sink: Sink) -> str:
    login = {"type": "basic", "login": "luna", "password": "a-callback-password"}
    counting = {
        "analytic_name": "people_count",
        "parameters": {"people_count_threshold": 1},
        "callbacks": [
            {"type": "http", "url": sink.url("/crowd"), "authorization": login},
            {"type": "luna-ws-notification"},
        ],
    }
    policy = {
        "callbacks": [{"type": "http", "url": sink.url("/status"), "params": {"timeout": {"total": 5}}}]
    }
    return luna.create(analytics=[counting], notification_policy=policy, source="3rd Avenue")


def count(stream_id: str, people: int) -> None:
    analytic = Analytic.objects.get(stream_id=stream_id)
    with transaction.atomic():
        outbox.publish(
            "analytic.result",
            subject_kind="analytic",
            subject_id=analytic.pk,
            account_id=analytic.account_id,
            camera_ids=[analytic.camera_id],
            payload={
                "phase": "end", "event_id": str(uuid4()), "stream_id": stream_id, "start_us": AT_US,
                "at_us": AT_US + 2_000_000, "count": people, "highest": people, "width": 200, "height": 100,
            },
        )  # fmt: skip


def test_a_crowd_is_posted_with_the_clients_login(luna: Luna, sink: Sink) -> None:
    stream_id = create(luna, sink)
    count(stream_id, 2)
    hand_over()
    send()

    (hit,) = [one for one in sink.hits if one.path == "/crowd"]
    body = json.loads(hit.body)
    headers = {name.lower(): value for name, value in hit.headers.items()}
    assert headers["authorization"] == "Basic " + base64.b64encode(b"luna:a-callback-password").decode()
    assert headers["content-type"] == "application/json"
    assert (body["event_type"], body["account_id"]) == ("crowd", str(luna.account.pk))
    assert body["event_end_time"] == "2026-11-21T09:00:02.000000Z"
    event = body["event"]
    assert (event["stream_id"], event["people_count"], event["source"]) == (stream_id, 2, "3rd Avenue")


def test_each_status_is_posted_by_the_policy(luna: Luna, sink: Sink) -> None:
    stream_id = create(luna, sink)
    with transaction.atomic():
        source = Source.objects.get(streams=UUID(stream_id))
        add_entry(source, Entry(Life.FAILURE, timezone.now(), detail="nobody answers"))
    hand_over()
    send()

    told = [json.loads(one.body) for one in sink.hits if one.path == "/status"]
    assert [one["event_type"] for one in told] == ["stream_status"] * len(told)
    last = told[-1]["event"]
    assert (last["stream_id"], last["status"], last["error"]) == (stream_id, "failure", "nobody answers")


def test_a_password_is_never_shown(luna: Luna, sink: Sink) -> None:
    stream_id = create(luna, sink)
    shown = luna.get(f"/2/streams/{stream_id}")

    assert "a-callback-password" not in str(shown)
    assert shown["analytics"][0]["callbacks"][0]["authorization"] == {
        "type": "basic",
        "login": "luna",
        "password": "***",
    }


def test_a_replaced_stream_tells_its_new_callbacks_only(luna: Luna, sink: Sink) -> None:
    stream_id = create(luna, sink)
    luna.ask("PUT", f"/2/streams/{stream_id}", stream_body())

    owners = {(row.owner_kind, row.owner_id) for row in Target.objects.all()}
    assert ("stream", UUID(stream_id)) not in owners
    assert ("analytic", Analytic.objects.get(stream_id=stream_id).pk) not in owners


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"url": "http://10.0.0.5/hook"}, "analytics.0.callbacks"),
        ({"url": "ftp://example.com/"}, "analytics.0.callbacks"),
        ({"authorization": {"type": "basic"}}, "analytics.0.callbacks"),
        ({"authorization": {"type": "basic", "login": "x", "password": "***"}}, "analytics.0.callbacks"),
        ({"params": {"content_type": "nonsense"}}, "analytics.0.callbacks"),
    ],
)
def test_a_callback_that_cannot_be_called_is_refused_and_nothing_is_made(
    luna: Luna, sink: Sink, changes: dict[str, Any], path: str
) -> None:
    callback = {"type": "http", "url": sink.url("/crowd"), **changes}
    body = stream_body(analytics=[{"analytic_name": "people_count", "callbacks": [callback]}])
    status, number, detail = error_of(luna.ask("POST", "/2/streams", body))

    assert (status, number) == (400, 12022)
    assert f"'{path}'" in detail
    assert luna.get("/2/streams") == {"streams": []}
