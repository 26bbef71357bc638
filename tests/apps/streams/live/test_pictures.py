"""MJPEG and stills: the newest picture, with boxes, for those who may see it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient
from django.utils.http import http_date

from apps.accounts.actors import actor_of_user
from apps.accounts.models import Grant, Role
from apps.accounts.services import change_member
from apps.core.rights_news import rights_watch
from apps.streams.bus import results
from apps.streams.bus.publisher import StreamPublisher
from apps.streams.live import archive, media_views, moving_pictures
from apps.streams.live.picture_gateway import picture_gateways
from omma_engine.ports import DemandLevel
from tests.apps.streams.bus.video import FRAME_US, START_US, clip
from tests.apps.streams.live.house import House, make_person
from tests.apps.streams.live.test_live_socket import offer, wait_for

INFO, PACKETS = clip(size_wh=(320, 192))


@pytest.fixture(autouse=True)
def _own_picture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "OMMA_DATA_DIR", tmp_path)


@pytest.fixture(autouse=True)
async def _closed_gateways() -> AsyncIterator[None]:
    yield
    await picture_gateways(settings.BUS_URL).close()


def still_of(house: House, query: str = "") -> str:
    return f"/media/v1/streams/{house.stream.pk}/still.jpg{query}"


async def get(address: str, bearer: dict[str, str]) -> HttpResponse:
    response = await AsyncClient().get(address, headers=bearer)
    assert isinstance(response, HttpResponse)
    return response


def size_of(jpeg: bytes) -> tuple[int, int]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.shape[1], found.shape[0]


async def parts_of(response: StreamingHttpResponse, count: int) -> list[bytes]:
    """Return the first pictures of a multipart body."""
    body: Any = response.streaming_content
    text, found = b"", []
    async for chunk in body:
        text += chunk
        while b"\r\n\r\n" in text:
            head, _, rest = text.partition(b"\r\n\r\n")
            size = int(head.rpartition(b"Content-Length: ")[2])
            if len(rest) < size + 2:
                break
            found.append(rest[:size])
            text = rest[size + 2 :]
        if len(found) >= count:
            break
    await body.aclose()
    return found


async def open_mjpeg(house: House, bearer: dict[str, str], query: str = "") -> StreamingHttpResponse:
    response = await AsyncClient().get(f"/media/v1/streams/{house.stream.pk}/mjpeg{query}", headers=bearer)
    assert isinstance(response, StreamingHttpResponse)
    return response


async def test_a_still_is_the_newest_keyframe(house: House, door_publisher: StreamPublisher) -> None:
    door_publisher.set_codec(INFO)
    offer_all(door_publisher, 15)

    response = await get(still_of(house, "?width=160"), house.alice.bearer)

    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Last-Modified"] == http_date((START_US + 10 * FRAME_US) / 1e6)
    assert size_of(response.content) == (160, 96)
    assert door_publisher.level is DemandLevel.KEYFRAMES


def offer_all(publisher: StreamPublisher, count: int) -> None:
    publisher.set_codec(INFO)
    for packet in PACKETS[:count]:
        publisher.offer(packet)


async def test_the_last_known_picture_answers_for_a_stream_that_is_away(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_views, "STILL_WAIT_S", 0.5)
    offer_all(door_publisher, 5)
    live = await get(still_of(house), house.alice.bearer)
    await picture_gateways(settings.BUS_URL).close()
    door_publisher.close()

    away = await get(still_of(house), house.alice.bearer)
    at_once = await get(still_of(house, "?last=1&width=80"), house.alice.bearer)

    assert away.status_code == 200
    assert away["Last-Modified"] == live["Last-Modified"] == http_date(START_US / 1e6)
    assert size_of(at_once.content) == (80, 48)


async def test_a_still_of_a_time_comes_from_footage(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def find(stream_id: Any, at: datetime) -> archive.Grab:
        asked.append((stream_id, at))
        return lambda width: f"picture {width}".encode()

    monkeypatch.setattr(archive, "_finders", [find])

    found = await get(still_of(house, "?at=2026-01-31T12:00:00Z&width=160"), house.alice.bearer)
    wrong = await get(still_of(house, "?at=noon"), house.alice.bearer)

    assert found.content == b"picture 160"
    assert asked == [(house.stream.pk, datetime(2026, 1, 31, 12, tzinfo=UTC))]
    assert wrong.status_code == 400
    assert b'"at"' in wrong.content


async def test_a_time_without_footage_is_not_found(house: House) -> None:
    response = await get(still_of(house, "?at=2026-01-31T12:00:00Z"), house.alice.bearer)

    assert response.status_code == 404


async def test_without_any_picture_it_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_views, "STILL_WAIT_S", 0.1)

    response = await get(still_of(house, "?last=1"), house.alice.bearer)

    assert response.status_code == 503
    assert b'"code": "unavailable"' in response.content


async def test_a_wrong_width_names_the_field(house: House) -> None:
    for width in ("0", "-1", "1e3", "99999", "x", "٣"):
        response = await get(still_of(house, f"?width={width}"), house.alice.bearer)

        assert response.status_code == 400
        assert b'"width"' in response.content


@pytest.mark.parametrize("kind", ["still.jpg", "mjpeg"])
async def test_nobody_foreign_sees_a_picture(
    house: House, door_publisher: StreamPublisher, kind: str
) -> None:
    offer_all(door_publisher, 5)
    address = f"/media/v1/streams/{house.stream.pk}/{kind}"

    foreign = await AsyncClient().get(address, headers=house.mallory.bearer)
    absent = await AsyncClient().get(f"/media/v1/streams/{uuid4()}/{kind}", headers=house.alice.bearer)
    nobody = await AsyncClient().get(address)

    assert [foreign.status_code, absent.status_code, nobody.status_code] == [404, 404, 401]
    assert door_publisher.figures.sent == 0


async def test_mjpeg_shows_pictures_as_they_come(house: House, door_publisher: StreamPublisher) -> None:
    offer_all(door_publisher, 3)
    response = await open_mjpeg(house, house.alice.bearer, "?width=160&fps=30")
    reading = asyncio.create_task(parts_of(response, 3))
    await wait_for(lambda: door_publisher.level is DemandLevel.EVERYTHING)
    for packet in PACKETS[3:30]:
        door_publisher.offer(packet)
        await asyncio.sleep(0.03)

    pictures = await asyncio.wait_for(reading, 5)

    assert response["Content-Type"] == "multipart/x-mixed-replace; boundary=omma-picture"
    assert [size_of(picture) for picture in pictures] == [(160, 96)] * 3
    assert len(set(pictures)) == 3


async def test_mjpeg_ends_when_the_right_does(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_pictures, "RECHECK_S", 0.1)
    offer_all(door_publisher, 3)
    response = await open_mjpeg(house, house.gus.bearer)
    await sync_to_async(Grant.objects.all().delete)()

    assert len(await asyncio.wait_for(parts_of(response, 100), 5)) <= 2


async def test_mjpeg_ends_at_once_when_an_administrator_takes_the_right_away(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_pictures, "RECHECK_S", 3600.0)
    offer_all(door_publisher, 3)
    admin = await sync_to_async(make_person)(house.account, "ada", role=Role.ADMIN)
    actor = await sync_to_async(actor_of_user)(admin.member.user)
    response = await open_mjpeg(house, house.gus.bearer)
    reading = asyncio.create_task(parts_of(response, 100))
    await wait_for(lambda: rights_watch().generation)
    await sync_to_async(change_member)(actor=actor, member=house.gus.member, grants=[])

    offer_all(door_publisher, 3)

    await asyncio.wait_for(reading, 5)


async def test_boxes_are_matched_by_capture_time(house: House, door_publisher: StreamPublisher) -> None:
    offer_all(door_publisher, 1)
    gateway = picture_gateways(settings.BUS_URL).gateway_of(house.stream.pk)
    assert await gateway.picture_after(0, is_moving=False, timeout_s=5) == 1
    plain = await gateway.encoded(width=None, with_boxes=True)
    sender = results.connect(settings.BUS_URL)
    box = {"label": "person", "confidence": 0.9, "track": 7, "box": [0.2, 0.2, 0.8, 0.8]}
    late = {"analytic_id": "a", "capture_us": START_US + 1_000_000, "boxes": [box]}
    matching = {"analytic_id": "a", "capture_us": START_US, "boxes": [box]}

    async def drawn_with(frame: dict[str, Any]) -> bytes:
        for _ in range(10):
            sender.publish(house.stream.pk, frame)
            await asyncio.sleep(0.02)
        gateway._encodings.clear()
        return await gateway.encoded(width=None, with_boxes=True)

    assert await drawn_with(late) == plain
    assert await drawn_with(matching) != plain
    sender.close()


async def test_the_same_picture_is_encoded_once(house: House, door_publisher: StreamPublisher) -> None:
    offer_all(door_publisher, 1)
    gateway = picture_gateways(settings.BUS_URL).gateway_of(house.stream.pk)
    await gateway.picture_after(0, is_moving=False, timeout_s=5)

    first, second = await asyncio.gather(*(gateway.encoded(width=160, with_boxes=False) for _ in range(2)))

    assert first is second


async def test_without_questions_decoding_ends(
    house: House, door_publisher: StreamPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateways = picture_gateways(settings.BUS_URL)
    monkeypatch.setattr(gateways, "_linger_s", 0.2)
    offer(door_publisher, PACKETS[:1])
    await get(still_of(house), house.alice.bearer)

    await wait_for(lambda: not gateways.is_running(house.stream.pk))
    await wait_for(lambda: door_publisher.level is DemandLevel.NONE)
