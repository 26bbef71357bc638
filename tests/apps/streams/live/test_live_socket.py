"""The live socket: the init segment first, then fragments as far as credits go, for those who may see it."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import av
import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings

from apps.accounts.actors import actor_of_user
from apps.accounts.models import Grant, Role
from apps.accounts.services import change_member
from apps.streams.bus.publisher import StreamPublisher
from apps.streams.live import consumer, permission
from apps.streams.live.gateway import live_gateways
from apps.streams.models import Source
from apps.streams.routing import websocket_urlpatterns
from omma_engine.ports import DemandLevel
from omma_engine.types import EncodedPacket
from tests.apps.streams.bus.video import FRAME_US, START_US, clip
from tests.apps.streams.live.house import House, make_person, session_headers

INFO, PACKETS = clip()
Headers = list[tuple[bytes, bytes]]


@asynccontextmanager
async def open_socket(stream_id: UUID, headers: Headers) -> AsyncIterator[WebsocketCommunicator]:
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/v1/live/{stream_id}", headers)
    is_open, _ = await socket.connect(timeout=5)
    assert is_open
    yield socket
    await socket.disconnect(timeout=5)
    await live_gateways(settings.BUS_URL).close()


async def close_code_of(socket: WebsocketCommunicator, timeout_s: float = 5) -> int:
    message = await socket.receive_output(timeout_s)
    while message["type"] != "websocket.close":
        message = await socket.receive_output(timeout_s)
    return int(message["code"])


def offer(publisher: StreamPublisher, packets: Sequence[EncodedPacket]) -> None:
    publisher.set_codec(INFO)
    for packet in packets:
        publisher.offer(packet)


async def receive_media(
    socket: WebsocketCommunicator, until_frames: int
) -> tuple[dict[str, Any], list[bytes]]:
    """Take the hello, grant credits as a browser does, and return all binary messages."""
    hello = json.loads(await socket.receive_from(5))
    messages = [await socket.receive_from(5)]
    await socket.send_json_to({"credit": 4})
    while b"".join(messages).count(b"moof") < until_frames:
        messages.append(await socket.receive_from(5))
        await socket.send_json_to({"credit": 1})
    return hello, messages


async def wait_for(is_so: Any, timeout_s: float = 8.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


async def test_what_arrives_is_a_file_that_plays(house: House, door_publisher: StreamPublisher) -> None:
    offer(door_publisher, PACKETS[:5])

    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        await wait_for(lambda: door_publisher.level is DemandLevel.EVERYTHING)
        offer(door_publisher, PACKETS[5:])
        hello, messages = await receive_media(socket, 50)

    assert hello == {"type": "hello", "codec": "avc1.64000b", "width": 160, "height": 96}
    assert int.from_bytes(messages[0][:8], "big") == 0
    assert int.from_bytes(messages[1][:8], "big") == START_US
    with av.open(io.BytesIO(b"".join(message[8:] for message in messages)), "r", format="mp4") as container:
        assert len(list(container.decode(video=0))) == 50


async def test_a_session_opens_the_socket_too(house: House, door_publisher: StreamPublisher) -> None:
    headers = await sync_to_async(session_headers)(house.alice)
    offer(door_publisher, PACKETS[:3])

    async with open_socket(house.stream.pk, headers) as socket:
        hello, _ = await receive_media(socket, 3)

    assert hello["type"] == "hello"


async def test_nobody_foreign_or_unknown_gets_in(house: House, door_publisher: StreamPublisher) -> None:
    offer(door_publisher, PACKETS[:3])
    cases = [
        (house.stream.pk, house.mallory.headers, 4404),
        (uuid4(), house.alice.headers, 4404),
        (house.stream.pk, [], 4401),
        (house.stream.pk, [(b"authorization", b"Bearer omt_wrong")], 4401),
    ]

    for stream_id, headers, expected in cases:
        async with open_socket(stream_id, headers) as socket:
            assert await close_code_of(socket) == expected

    assert door_publisher.level is DemandLevel.NONE
    assert door_publisher.figures.sent == 0


async def test_nothing_but_the_init_segment_comes_without_credits(
    house: House, door_publisher: StreamPublisher
) -> None:
    offer(door_publisher, PACKETS[:5])

    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        hello = json.loads(await socket.receive_from(5))
        init = await socket.receive_from(5)

        assert hello["type"] == "hello"
        assert b"moov" in init
        assert await socket.receive_nothing(0.3)
        await socket.send_json_to({"credit": 1})
        assert (await socket.receive_from(5)).count(b"moof") == 5
        assert await socket.receive_nothing(0.3)


async def test_all_viewers_share_one_reader(house: House, door_publisher: StreamPublisher) -> None:
    offer(door_publisher, PACKETS[:4])
    async with open_socket(house.stream.pk, house.alice.headers) as first:
        await receive_media(first, 4)
        async with open_socket(house.stream.pk, house.gus.headers) as second:
            _, messages = await receive_media(second, 4)

            gateway = live_gateways(settings.BUS_URL).gateway_of(house.stream.pk)
            assert gateway is not None
            assert gateway.viewer_count == 2
            assert int.from_bytes(messages[1][:8], "big") == START_US
    assert door_publisher.figures.sent == 4


async def test_the_reader_ends_after_the_last_viewer(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateways = live_gateways(settings.BUS_URL)
    monkeypatch.setattr(gateways, "_linger_s", 0.1)
    offer(door_publisher, PACKETS[:4])
    socket = WebsocketCommunicator(
        URLRouter(websocket_urlpatterns), f"/ws/v1/live/{house.stream.pk}", house.alice.headers
    )
    await socket.connect(timeout=5)
    await receive_media(socket, 4)

    await socket.disconnect()

    await wait_for(lambda: gateways.gateway_of(house.stream.pk) is None)
    await wait_for(lambda: door_publisher.level is DemandLevel.NONE)
    await gateways.close()


async def test_a_right_that_is_taken_away_ends_it(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 0.1)
    offer(door_publisher, PACKETS[:4])

    async with open_socket(house.stream.pk, house.gus.headers) as socket:
        await receive_media(socket, 4)
        await sync_to_async(Grant.objects.all().delete)()

        assert await close_code_of(socket) == 4404


def test_rights_are_asked_for_often_enough() -> None:
    assert permission.RECHECK_S <= 4


async def test_a_source_that_goes_away_is_said(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 0.1)
    change = Source.objects.filter(pk=house.stream.source_id).update

    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        await sync_to_async(change)(
            status="reconnecting", status_code="unreachable", status_detail="no route"
        )
        said = json.loads(await socket.receive_from(5))

    assert said == {"type": "state", "state": "reconnecting", "code": "unreachable", "reason": "no route"}


async def test_a_stream_without_packets_says_that_it_waits(
    house: House, door_publisher: StreamPublisher
) -> None:
    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        assert json.loads(await socket.receive_from(5)) == {
            "type": "waiting",
            "state": "waiting",
            "reason": "",
        }


async def test_a_client_that_speaks_nonsense_is_told(house: House) -> None:
    for text in ("credit", "[]", '{"credit": 0}', '{"credit": true}', '{"credit": "4"}', "[" * 50_000):
        async with open_socket(house.stream.pk, house.alice.headers) as socket:
            await socket.send_to(text_data=text)

            assert await close_code_of(socket) == 4400


async def test_who_takes_nothing_in_is_closed(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 0.1)
    monkeypatch.setattr(consumer, "STALLED_S", 0.3)
    offer(door_publisher, PACKETS[:4])

    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        assert await close_code_of(socket) == 4408


def test_the_longest_stall_is_below_fifteen_seconds() -> None:
    assert consumer.STALLED_S + permission.RECHECK_S <= 15


async def test_the_time_of_a_joined_message_is_its_first_frames(
    house: House, door_publisher: StreamPublisher
) -> None:
    offer(door_publisher, PACKETS[10:13])
    async with open_socket(house.stream.pk, house.alice.headers) as socket:
        _, messages = await receive_media(socket, 3)

    assert int.from_bytes(messages[1][:8], "big") == START_US + 10 * FRAME_US


async def test_a_right_that_is_taken_away_by_an_administrator_ends_it_at_once(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 3600.0)
    offer(door_publisher, PACKETS[:4])
    admin = await sync_to_async(make_person)(house.account, "ada", role=Role.ADMIN)
    actor = await sync_to_async(actor_of_user)(admin.member.user)

    async with open_socket(house.stream.pk, house.gus.headers) as socket:
        await receive_media(socket, 4)
        await sync_to_async(change_member)(actor=actor, member=house.gus.member, grants=[])

        assert await close_code_of(socket) == 4404
