"""SpectraX's live pictures: XC3 and XC4."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from numpy.typing import NDArray

from apps.accounts.models import ApiToken
from apps.streams.bus import publisher, results
from apps.streams.bus.publisher import StreamPublisher
from apps.streams.live import moving_pictures
from apps.streams.live.picture_gateway import picture_gateways
from omma_engine.ports import DemandLevel
from tests.apps.dialects.spectrax.yard import Yard
from tests.apps.streams.bus.video import clip
from tests.apps.streams.live.test_live_socket import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

FRONT = clip(size_wh=(320, 192))
BACK = clip(size_wh=(160, 96))


@pytest.fixture
def publishers(yard: Yard) -> Iterator[tuple[StreamPublisher, StreamPublisher]]:
    """Return who offers the pictures of the front door and of the backyard."""
    connect = publisher.connect(settings.BUS_URL)
    front, back = connect(yard.front.stream.pk), connect(yard.back.stream.pk)
    front.set_codec(FRONT[0])
    back.set_codec(BACK[0])
    for each, (_, packets) in ((front, FRONT), (back, BACK)):
        for packet in packets[:3]:
            each.offer(packet)
    yield front, back
    front.close()
    back.close()


@pytest.fixture(autouse=True)
async def _closed_gateways() -> AsyncIterator[None]:
    yield
    await picture_gateways(settings.BUS_URL).close()


async def open_video(yard: Yard, query: str = "") -> Any:
    return await AsyncClient().get(f"/compat/spectrax/{yard.token}/video/stream{query}")


async def pictures_in(response: StreamingHttpResponse, count: int) -> list[bytes]:
    """Return the first pictures, read as clients do: from one boundary to the next."""
    body: Any = response.streaming_content
    text = b""
    async for chunk in body:
        text += chunk
        if text.count(b"--frame\r\n") > count:
            break
    await body.aclose()
    head = b"Content-Type: image/jpeg\r\n\r\n"
    parts = text.split(b"--frame\r\n")[1 : count + 1]
    assert all(part.startswith(head) and part.endswith(b"\r\n") for part in parts)
    return [part.removeprefix(head).removesuffix(b"\r\n") for part in parts]


def pixels_of(jpeg: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


async def test_xc3_the_first_camera_moves_and_what_is_found_is_drawn(
    yard: Yard, publishers: tuple[StreamPublisher, StreamPublisher]
) -> None:
    response = await open_video(yard)
    reading = asyncio.create_task(pictures_in(response, 4))
    await wait_for(lambda: publishers[0].level is DemandLevel.EVERYTHING)
    sender = results.connect(settings.BUS_URL)
    box = {"label": "person", "confidence": 0.9, "track": 7, "box": [0.25, 0.25, 0.75, 0.75]}
    for packet in FRONT[1][3:40]:
        frame = {"analytic_id": "a", "capture_us": packet.capture_us, "boxes": [box]}
        sender.publish(yard.front.stream.pk, frame)
        publishers[0].offer(packet)
        await asyncio.sleep(0.03)

    pictures = await asyncio.wait_for(reading, 8)
    sender.close()

    assert response["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert all(picture[:2] == b"\xff\xd8" for picture in pictures)
    assert len(set(pictures)) == 4
    assert pixels_of(pictures[-1]).shape == (192, 320, 3)
    top_edge = pixels_of(pictures[-1])[48, 90:230].astype(int)
    assert (np.abs(top_edge[:, 2] - top_edge[:, 0]) > 60).mean() > 0.5  # the scene is grey, boxes are not


async def test_xc4_a_path_shows_its_camera_and_an_unknown_one_is_not_found(
    yard: Yard, publishers: tuple[StreamPublisher, StreamPublisher]
) -> None:
    for query in ("?path=video/backyard", "?feed=video/backyard", "?path=video%2Fbackyard"):
        response = await open_video(yard, query)
        reading = asyncio.create_task(pictures_in(response, 1))
        for packet in BACK[1][:30]:
            publishers[1].offer(packet)
            await asyncio.sleep(0.02)
        (picture,) = await asyncio.wait_for(reading, 8)
        assert pixels_of(picture).shape == (96, 160, 3)

    absent = await open_video(yard, "?path=nope")
    message = "Camera path nope not found"
    assert (absent.status_code, absent.json()) == (
        404,
        {"status": "error", "message": message, "detail": message},
    )


async def test_a_question_for_the_headers_starts_no_pictures(yard: Yard) -> None:
    response = await AsyncClient().head(f"/compat/spectrax/{yard.token}/video/stream")

    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert not picture_gateways(settings.BUS_URL).is_running(yard.front.stream.pk)


async def test_the_pictures_end_when_the_token_is_revoked(
    yard: Yard, publishers: tuple[StreamPublisher, StreamPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_pictures, "RECHECK_S", 0.1)
    response = await open_video(yard)
    await ApiToken.objects.all().adelete()

    async def read_all() -> int:
        return len([chunk async for chunk in response.streaming_content])

    assert await asyncio.wait_for(read_all(), 8) <= 6
