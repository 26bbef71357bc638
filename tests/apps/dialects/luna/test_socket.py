"""The events socket: how a stream is, and what one analytic finds, to whoever may see it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.catalog.services import ensure_builtins
from apps.core import outbox
from apps.core.async_database import in_database_thread
from apps.dialects.luna import socket
from apps.dialects.luna.socket_feed import RESULT_NEWS, socket_feed
from apps.dialects.routing import websocket_urlpatterns
from apps.inference.models import Analytic
from apps.streams.bus import results
from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Source, Stream
from tests.apps.dialects.luna.house import Luna, make_luna

pytestmark = pytest.mark.django_db(transaction=True)
AT_US = 1_795_251_600_000_000


@pytest.fixture
def luna(transactional_db: None) -> Luna:
    ensure_builtins()
    return make_luna()


@pytest.fixture
def stream_id(luna: Luna) -> str:
    analytics = [
        {
            "analytic_name": "people_count",
            "parameters": {"people_count_threshold": 1},
            "targets": ["coordinates"],
        },
        {"analytic_name": "people"},
    ]
    return luna.create(source="3rd Avenue", location={"city": "Riga"}, analytics=analytics)


@asynccontextmanager
async def opened(luna: Luna, query: str, base: str = "") -> AsyncIterator[WebsocketCommunicator]:
    address = f"{base or luna.base}/2/ws?{query}"
    connection = WebsocketCommunicator(URLRouter(websocket_urlpatterns), address)
    is_open, _ = await connection.connect(timeout=5)
    assert is_open
    yield connection
    await connection.disconnect(timeout=5)
    await socket_feed().close()


async def receive(connection: WebsocketCommunicator) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await connection.receive_from(5))
    assert sorted(message) == ["analytics_results", "error", "stream_status"]
    return message


async def close_code(connection: WebsocketCommunicator) -> int:
    while (message := await connection.receive_output(5))["type"] != "websocket.close":
        continue
    return int(message["code"])


@in_database_thread
@transaction.atomic
def enter(stream_id: str, status: Life, detail: str = "") -> None:
    """Let a stream become something."""
    source = Source.objects.get(streams=UUID(stream_id))
    Source.objects.filter(pk=source.pk).update(life=status, life_detail=detail)
    add_entry(source, Entry(status, timezone.now(), detail=detail))


@in_database_thread
@transaction.atomic
def count(stream_id: str, people: int) -> None:
    """Let the counting analytic see so many people."""
    analytic = Analytic.objects.get(stream_id=stream_id, number=0)
    outbox.publish(
        RESULT_NEWS,
        subject_kind="analytic",
        subject_id=analytic.pk,
        account_id=analytic.account_id,
        camera_ids=[analytic.camera_id],
        payload={
            "kind": "people_count", "phase": "start", "event_id": str(uuid4()), "stream_id": stream_id,
            "start_us": AT_US, "at_us": AT_US + 500_000, "count": people, "highest": people,
            "width": 200, "height": 100, "coordinates": [[0.5, 0.25]],
        },
    )  # fmt: skip


async def test_it_says_how_the_stream_is_and_becomes(luna: Luna, stream_id: str) -> None:
    async with opened(luna, f"stream_id={stream_id}&analytic_index=0") as connection:
        assert await receive(connection) == {
            "stream_status": "pending",
            "error": None,
            "analytics_results": {},
        }

        await enter(stream_id, Life.IN_PROGRESS)
        assert (await receive(connection))["stream_status"] == "in_progress"
        await enter(stream_id, Life.FAILURE, "nobody answers")
        failed = await receive(connection)

    assert failed == {"stream_status": "failure", "error": "nobody answers", "analytics_results": {}}


async def test_a_count_comes_as_its_callback_has_it(luna: Luna, stream_id: str) -> None:
    async with opened(luna, f"stream_id={stream_id}&analytic_index=0") as connection:
        await receive(connection)
        await count(stream_id, 3)
        message = await receive(connection)

    body = message["analytics_results"]
    event = body.pop("event")
    assert body == {
        "event_type": "crowd",
        "account_id": str(luna.account.pk),
        "event_create_time": "2026-11-21T09:00:00.000000Z",
        "event_end_time": None,
    }
    assert event.pop("event_id")
    assert event == {
        "stream_id": stream_id,
        "track_id": None,
        "analytic_index": 0,
        "people_count": 3,
        "overview": {"time_offset": 0.5, "people_coordinates": [[100, 25]]},
        "location": {"city": "Riga"},
        "source": "3rd Avenue",
        "event_source_group": None,
    }


async def test_a_detector_tells_what_each_picture_shows(luna: Luna, stream_id: str) -> None:
    analytic = await in_database_thread(Analytic.objects.get)(stream_id=stream_id, number=1)
    frame: results.DetectionFrame = {
        "stream_id": stream_id,
        "analytic_id": str(analytic.pk),
        "capture_us": AT_US,
        "width": 200,
        "height": 100,
        "boxes": [{"label": "person", "confidence": 0.9, "track": 4, "box": [0.1, 0.2, 0.3, 0.8]}],
    }
    sender = results.connect(settings.BUS_URL)

    async with opened(luna, f"stream_id={stream_id}&analytic_index=1") as connection:
        await receive(connection)
        for _ in range(50):  # until the subscription stands
            await in_database_thread(sender.publish)(UUID(stream_id), frame)
            if not await connection.receive_nothing(0.1):
                break
        message = await receive(connection)
    await in_database_thread(sender.close)()

    found = message["analytics_results"]["event"]
    assert found["detections"] == [
        {
            "label": "person",
            "score": 0.9,
            "track_id": 4,
            "rect": {"x": 20, "y": 20, "width": 40, "height": 60},
        }
    ]
    assert found["time"] == "2026-11-21T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("analytic_index=0", 4400),
        ("stream_id={stream}", 4400),
        ("stream_id=abc&analytic_index=0", 4400),
        ("stream_id={stream}&analytic_index=-1", 4400),
        ("stream_id={stream}&analytic_index=99", 4404),
        ("stream_id={other}&analytic_index=0", 4404),
        ("stream_id={stream}&analytic_index=0&account_id={other}", 4404),
    ],
)
async def test_what_cannot_be_had_closes_with_its_reason(
    luna: Luna, stream_id: str, query: str, code: int
) -> None:
    async with opened(luna, query.format(stream=stream_id, other=uuid4())) as connection:
        assert await close_code(connection) == code


async def test_strangers_hear_nothing(luna: Luna, stream_id: str) -> None:
    stranger = await in_database_thread(make_luna)()
    query = f"stream_id={stream_id}&analytic_index=0"

    async with opened(stranger, query) as connection:
        assert await close_code(connection) == 4404
    async with opened(luna, query, base="/compat/luna/omt_wrong") as connection:
        assert await close_code(connection) == 4401
    async with opened(luna, query, base=f"/compat/luna/{luna.account.pk}") as connection:
        assert await close_code(connection) == 4401


async def test_a_stream_that_is_removed_ends_its_sockets(
    luna: Luna, stream_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "RECHECK_S", 0.1)
    async with opened(luna, f"stream_id={stream_id}&analytic_index=0") as connection:
        await receive(connection)
        await in_database_thread(luna.ask)("DELETE", f"/2/streams/{stream_id}")

        assert await close_code(connection) == 4404
    assert not await in_database_thread(Stream.objects.exists)()
