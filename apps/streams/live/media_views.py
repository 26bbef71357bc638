"""Pictures of a stream over HTTP: `mjpeg` and `still.jpg`.

`still.jpg` answers the newest keyframe. Where the stream has no picture now, it answers the last known one;
its `Last-Modified` says when that was taken. Without any it answers 503. With `last=1` the last known picture
comes at once, and is made anew for the next time when it is old.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.http import http_date
from django.views.decorators.http import require_GET, require_safe

from apps.accounts.access import Action
from apps.core.async_database import in_database_thread
from apps.core.exceptions import InvalidInputError, UnavailableError
from apps.core.times import to_us
from apps.streams.live.archive import footage_at
from apps.streams.live.last_pictures import KEPT_WIDTH, LastPicture, age_s, last_picture, picture_folder
from apps.streams.live.moving_pictures import (
    Wish,
    chunks_of,
    moving_pictures,
    release_connections,
    remember_newest,
)
from apps.streams.live.permission import sight_of_async
from apps.streams.live.picture_gateway import picture_gateways

MIN_WIDTH, MAX_WIDTH = 16, 3840
MAX_FPS, USUAL_FPS = 30, 10
STILL_WAIT_S = 3.0
RENEW_AFTER_S = 30.0
BOUNDARY = "omma-picture"

_renewals: set[asyncio.Task[None]] = set()  # only so that they are not collected while they run


@require_safe
async def still(request: HttpRequest, stream_id: UUID) -> HttpResponse:
    """One picture; `width` bounds its width, `boxes=1` draws what was found in it, `at` is a time to show."""
    moment = wanted_moment(request)
    right = Action.PLAYBACK if moment else Action.VIEW
    await sight_of_async(request_scope(request), stream_id, right)
    width = whole_number(request, "width", MIN_WIDTH, MAX_WIDTH)
    if moment is not None:
        grab = await in_database_thread(footage_at)(stream_id, moment)
        return _still_response(LastPicture(await asyncio.to_thread(grab, width), to_us(moment)))
    if is_set(request, "last"):
        known = await asyncio.to_thread(last_picture, picture_folder(), stream_id, max_width=width)
        if known is not None:
            await _renew_if_old(stream_id)
            return _still_response(known)
    found = await _still_now(stream_id, width, with_boxes=is_set(request, "boxes"))
    if found is None:
        found = await asyncio.to_thread(last_picture, picture_folder(), stream_id, max_width=width)
    if found is None:
        raise UnavailableError("This stream has no picture now, and none from before.")
    return _still_response(found)


@require_GET
async def mjpeg(request: HttpRequest, stream_id: UUID) -> StreamingHttpResponse:
    """Pictures without end; `width`, `fps` (at most) and `boxes=1`. Who reads slowly gets fewer."""
    await sight_of_async(request_scope(request), stream_id)
    width = whole_number(request, "width", MIN_WIDTH, MAX_WIDTH)
    fps = whole_number(request, "fps", 1, MAX_FPS) or USUAL_FPS
    await release_connections()
    wish = Wish(width, fps, with_boxes=is_set(request, "boxes"))
    return StreamingHttpResponse(
        _parts(moving_pictures(request_scope(request), stream_id, wish)),
        content_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        headers={"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"},
    )


async def _parts(pictures: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(pictures):
        async for data in pictures:
            length = len(data)
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
            yield head.encode("ascii")
            for chunk in chunks_of(data):
                yield chunk
            yield b"\r\n"


async def _still_now(stream_id: UUID, width: int | None, *, with_boxes: bool) -> LastPicture | None:
    gateway = picture_gateways(settings.BUS_URL).gateway_of(stream_id)
    if not await gateway.picture_after(0, is_moving=False, timeout_s=STILL_WAIT_S):
        return None
    data = await gateway.encoded(width=width, with_boxes=with_boxes)
    await remember_newest(stream_id, gateway)
    return LastPicture(data, gateway.capture_us)


async def _renew_if_old(stream_id: UUID) -> None:
    if await asyncio.to_thread(age_s, picture_folder(), stream_id, time.time_ns() // 1000) < RENEW_AFTER_S:
        return

    async def renew() -> None:
        await _still_now(stream_id, KEPT_WIDTH, with_boxes=False)

    task = asyncio.create_task(renew())
    _renewals.add(task)
    task.add_done_callback(_renewals.discard)


def _still_response(picture: LastPicture) -> HttpResponse:
    return HttpResponse(
        picture.data,
        content_type="image/jpeg",
        headers={
            "Cache-Control": "private, no-store",
            "Last-Modified": http_date(picture.capture_us / 1e6),
        },
    )


def request_scope(request: HttpRequest) -> Any:
    """Return what rights are read afresh from: the connection's scope."""
    return getattr(request, "scope", request)


def is_set(request: HttpRequest, name: str) -> bool:
    return request.GET.get(name, "").lower() in {"1", "true", "yes"}


def wanted_moment(request: HttpRequest) -> datetime | None:
    """Return the time `at` of the query (RFC 3339 with an offset), or None where it is not given."""
    text = request.GET.get("at", "")
    if not text:
        return None
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise InvalidInputError("Expected a time like 2026-01-31T12:00:00Z.", field="at")
    return moment


def whole_number(request: HttpRequest, name: str, least: int, most: int) -> int | None:
    """Return a number of the query, or None where it is not given."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidInputError(f"Expected a whole number from {least} to {most}.", field=name)
    return int(text)
