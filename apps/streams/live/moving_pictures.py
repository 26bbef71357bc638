"""Pictures of a stream without end, as JPEG: what every address that shows MJPEG sends."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from apps.core.exceptions import OmmaError
from apps.core.rights_news import rights_watch
from apps.streams.live.last_pictures import (
    KEPT_WIDTH,
    LastPicture,
    age_s,
    last_picture,
    picture_folder,
    remember,
)
from apps.streams.live.permission import AWAY_S, RECHECK_S, sight_of_async
from apps.streams.live.picture_gateway import PictureGateway, picture_gateways

CHUNK_BYTES = 256 * 1024
REMEMBER_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """How pictures are wanted: at most so wide, at most so many a second."""

    width: int | None
    fps: int
    with_boxes: bool


async def moving_pictures(scope: Any, stream_id: UUID, wish: Wish) -> AsyncGenerator[bytes]:
    """Yield JPEG files, newest picture first and always; ends when the right to see it does.

    Whoever is behind `scope` may see the stream: the caller has asked. It is asked again while it lasts.
    """
    number, checked_s = 0, time.monotonic()
    rights = rights_watch()
    seen = rights.generation
    known = await asyncio.to_thread(last_picture, picture_folder(), stream_id, max_width=wish.width)
    if known is not None:
        yield known.data
    while True:
        started_s = time.monotonic()
        gateway = picture_gateways(settings.BUS_URL).gateway_of(stream_id)
        newest = await gateway.picture_after(number, is_moving=True, timeout_s=RECHECK_S)
        if rights.generation != seen or time.monotonic() - checked_s > RECHECK_S:
            seen = rights.generation
            if not await _is_still_allowed(scope, stream_id, checked_s):
                return
            checked_s = time.monotonic()
            continue  # asking took time, and there may be a newer picture
        if newest != number:
            yield await gateway.encoded(width=wish.width, with_boxes=wish.with_boxes)
            await remember_newest(stream_id, gateway)
            number = newest
        elif not picture_gateways(settings.BUS_URL).is_running(stream_id):
            number = 0
        await rights.wait(max(0.0, started_s + 1 / wish.fps - time.monotonic()), since=seen)


async def remember_newest(stream_id: UUID, gateway: PictureGateway) -> None:
    """Keep the picture as the last known one, once in a while."""
    now_us = time.time_ns() // 1000
    if await asyncio.to_thread(age_s, picture_folder(), stream_id, now_us) < REMEMBER_EVERY_S:
        return
    data = await gateway.encoded(width=KEPT_WIDTH, with_boxes=False)
    await asyncio.to_thread(remember, picture_folder(), stream_id, LastPicture(data, gateway.capture_us))


def chunks_of(data: bytes) -> Iterator[bytes]:
    """Yield a picture in pieces that a slow client can be made to wait between."""
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


@sync_to_async
def release_connections() -> None:
    """Let go of what middleware opened in this request's thread: a stream outlives many requests."""
    for connection in connections.all(initialized_only=True):
        connection.close()


async def _is_still_allowed(scope: Any, stream_id: UUID, checked_s: float) -> bool:
    try:
        await sight_of_async(scope, stream_id)
    except OmmaError:
        return False
    except DatabaseError:
        return time.monotonic() - checked_s < AWAY_S
    return True
