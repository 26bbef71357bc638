"""Addresses of preview strips: the sprite, and where in it each moment is, as JSON and as WebVTT."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.core.exceptions import NotVisibleError
from apps.core.http_range import OpenFile, file_response
from apps.core.times import from_us
from apps.recordings.bodies import JPEG
from apps.recordings.clips import release_connection
from apps.recordings.media_access import playable_stream, resource_of, still_allowed
from apps.recordings.strips import TILE_S, StripPlace, StripState, hour_named, strip_of
from apps.streams.models import Stream

RETRY_AFTER_S = 2
_PRIVATE = {"Cache-Control": "private, no-store"}


@require_safe
async def strip_index(request: HttpRequest, stream_id: UUID, hour: str) -> HttpResponseBase:
    """The tiles of an hour: `at` and `until` with the corner `x`, `y`; 202 while the strip is being made."""
    return await _answer(request, stream_id, hour, _json)


@require_safe
async def strip_cues(request: HttpRequest, stream_id: UUID, hour: str) -> HttpResponseBase:
    """The same as WebVTT; its times count from the beginning of the hour."""
    return await _answer(request, stream_id, hour, _cues)


@require_safe
async def strip_sprite(request: HttpRequest, stream_id: UUID, hour: str) -> HttpResponseBase:
    """All tiles of an hour as one JPEG."""
    stream, place, state = await sync_to_async(_found)(request, stream_id, hour)
    if state.index is None:
        return _waiting(place)
    try:
        path = place.folder / state.index["sprite"]
        file = await sync_to_async(lambda: OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC)))()
    except FileNotFoundError as error:
        raise NotVisibleError("This picture is gone.") from error
    resource = resource_of(stream.account_id, stream.camera_id)
    allowed = still_allowed(request, resource)
    return file_response(request, file, etag=state.index["sprite"], content_type=JPEG, still_allowed=allowed)


async def _answer(
    request: HttpRequest,
    stream_id: UUID,
    hour: str,
    write: Callable[[StripPlace, dict[str, Any]], HttpResponse],
) -> HttpResponseBase:
    _, place, state = await sync_to_async(_found)(request, stream_id, hour)
    return _waiting(place) if state.index is None else write(place, state.index)


def _found(request: HttpRequest, stream_id: UUID, hour: str) -> tuple[Stream, StripPlace, StripState]:
    try:
        stream = playable_stream(request, stream_id)
        place = StripPlace(stream.pk, hour_named(hour, timezone.now()))
        return stream, place, strip_of(stream, place.hour)
    finally:
        release_connection()


def _waiting(place: StripPlace) -> HttpResponse:
    body = {"state": "pending", "hour": place.name}
    return JsonResponse(body, status=202, headers={**_PRIVATE, "Retry-After": str(RETRY_AFTER_S)})


def _json(place: StripPlace, index: dict[str, Any]) -> HttpResponse:
    body = {
        "state": "ready",
        "hour": place.name,
        "start": _text(index["start_us"]),
        "until": _text(index["until_us"]),
        "tile_s": TILE_S,
        "width": index["width"],
        "height": index["height"],
        "sprite_url": reverse("media-strip-sprite", args=[place.stream_id, place.name]),
        "tiles": [
            {"at": _text(start_us), "until": _text(end_us), "x": x, "y": y}
            for start_us, end_us, x, y in index["tiles"]
        ],
    }
    return JsonResponse(body, headers=_PRIVATE)


def _cues(place: StripPlace, index: dict[str, Any]) -> HttpResponse:
    text = "\n".join(["WEBVTT", "", *_cue_lines(place, index)])
    return HttpResponse(text, content_type="text/vtt; charset=utf-8", headers=_PRIVATE)


def _cue_lines(place: StripPlace, index: dict[str, Any]) -> Iterator[str]:
    address = reverse("media-strip-sprite", args=[place.stream_id, place.name])
    size = f"{index['width']},{index['height']}"
    for start_us, end_us, x, y in index["tiles"]:
        yield f"{_clock(start_us - index['start_us'])} --> {_clock(end_us - index['start_us'])}"
        yield f"{address}#xywh={x},{y},{size}"
        yield ""


def _clock(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1_000_000, UTC):%H:%M:%S}.{us // 1000 % 1000:03d}"


def _text(us: int) -> str:
    return f"{from_us(us):%Y-%m-%dT%H:%M:%S.%f}Z"
