"""Media addresses of playback: clips, playlists, segments and pictures, all bounded and seekable."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.core.exceptions import NotVisibleError
from apps.core.http_range import OpenFile, file_response
from apps.core.times import from_us
from apps.recordings.bodies import MP4, Body, clip_body, recording_body, thumbnail_body
from apps.recordings.clips import MAX_RANGE, check_range, clip_of_range, release_connection
from apps.recordings.footage import footage_between, open_footage
from apps.recordings.media_access import (
    playable_recording,
    playable_segment,
    playable_stream,
    resource_of,
    still_allowed,
    wanted_range,
    wanted_time,
)
from omma_engine.errors import FootageMissingError
from omma_engine.playback.hls import LONG_PART_S, PART_S, playlist

_PLAYLIST = "application/vnd.apple.mpegurl"
_GROWS_WITHIN = timedelta(seconds=30)
MAX_LISTED = timedelta(hours=24)  # of a playlist, which copies nothing


@require_safe
async def recording_video(request: HttpRequest, recording_id: UUID) -> HttpResponseBase:
    """A recording as one MP4; `end` cuts it, so that a growing one keeps its bytes while it is played."""
    return await _serve(request, lambda: _open_recording(request, recording_id))


@require_safe
async def stream_video(request: HttpRequest, stream_id: UUID) -> HttpResponseBase:
    """Any range of a stream as one MP4."""
    return await _serve(request, lambda: _open_range(request, stream_id))


@require_safe
async def segment_file(request: HttpRequest, segment_id: UUID) -> HttpResponseBase:
    """A segment file up to its durable bytes, for playlists."""
    return await _serve(request, lambda: _open_segment(request, segment_id))


@require_safe
async def stream_playlist(request: HttpRequest, stream_id: UUID) -> HttpResponseBase:
    """An HLS playlist of up to a day of a stream; without `end` it grows."""
    text = await sync_to_async(_playlist_text)(request, stream_id)
    return HttpResponse(text, content_type=_PLAYLIST, headers={"Cache-Control": "private, no-store"})


@require_safe
async def recording_thumbnail(request: HttpRequest, recording_id: UUID) -> HttpResponseBase:
    return await _serve(request, lambda: _open_thumbnail(request, recording_id))


async def _serve(request: HttpRequest, open_body: Callable[[], Body]) -> HttpResponseBase:
    """Authorise and open off the event loop, then send; no database connection is held meanwhile."""
    body = await sync_to_async(_opened)(open_body)
    response = file_response(
        request,
        body.file,
        etag=body.etag,
        content_type=body.content_type,
        filename=body.filename if request.GET.get("download") == "1" else None,
        still_allowed=still_allowed(request, body.resource),
    )
    for name, value in body.facts.items():
        response[name] = value
    return response


def _opened(open_body: Callable[[], Body]) -> Body:
    try:
        return open_body()
    finally:
        release_connection()


def _open_recording(request: HttpRequest, recording_id: UUID) -> Body:
    row = playable_recording(request, recording_id)
    return recording_body(row, wanted_time(request, "end") if "end" in request.GET else None)


def _open_range(request: HttpRequest, stream_id: UUID) -> Body:
    row = playable_stream(request, stream_id)
    start, end = wanted_range(request)
    built = clip_of_range(row.pk, start, end)
    name = f"{row.camera.name} {start:%Y-%m-%d %H-%M-%S}.mp4"
    return clip_body(built, resource_of(row.account_id, row.camera_id), name)


def _open_segment(request: HttpRequest, segment_id: UUID) -> Body:
    row = playable_segment(request, segment_id)
    try:
        descriptor = open_footage(row.pk, row.volume, row.path)
    except FootageMissingError as error:
        raise NotVisibleError from error
    # A file that is shorter than its row says keeps that size: what is left must not look like all of it.
    file = OpenFile(descriptor, row.durable_bytes)
    resource = resource_of(row.account_id, row.camera_id)
    return Body(file, f"{row.pk.hex}-{file.size}", MP4, resource, f"{row.pk}.mp4", {})


def _playlist_text(request: HttpRequest, stream_id: UUID) -> str:
    try:
        row = playable_stream(request, stream_id)
        now = timezone.now()
        start = wanted_time(request, "start")
        end = wanted_time(request, "end") if "end" in request.GET else None
        check_range(start, end or max(now, start + timedelta(seconds=1)), now, longest=MAX_LISTED)
        selection = footage_between(row.pk, start, end or now)
    finally:
        release_connection()
    if selection is None:
        raise NotVisibleError("Nothing is recorded in this range.")
    is_growing = end is None or (end > now and from_us(selection.end_us) > now - _GROWS_WITHIN)
    part_s = LONG_PART_S if (end or now) - start > MAX_RANGE else PART_S
    return playlist(selection, address_of=_segment_address, is_growing=is_growing, part_s=part_s)


def _segment_address(segment_id: UUID) -> str:
    return reverse("media-segment", args=[segment_id])


def _open_thumbnail(request: HttpRequest, recording_id: UUID) -> Body:
    return thumbnail_body(playable_recording(request, recording_id))
