"""SpectraX's addresses whose bodies flow: live pictures with boxes, and files of recordings."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from apps.core.exceptions import NotVisibleError
from apps.core.http_range import file_response
from apps.dialects.boxes import Scope, box_of, login_scope
from apps.dialects.spectrax.answers import media_view
from apps.dialects.spectrax.cameras import stream_at
from apps.dialects.spectrax.files import read_file_name
from apps.dialects.spectrax.listing import clip_numbered
from apps.recordings.bodies import Body, recording_body, thumbnail_body
from apps.recordings.clips import release_connection
from apps.recordings.media_access import still_allowed
from apps.streams.live.moving_pictures import Wish, chunks_of, moving_pictures, release_connections

FPS = 15  # at most; a picture is encoded once for all who look
_PART_HEAD = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"


@media_view
async def video_stream(request: HttpRequest, key: str) -> HttpResponseBase:
    """MJPEG with boxes. `feed` is what older versions called `path`."""
    path = request.GET.get("path") or request.GET.get("feed") or ""
    scope, stream_id = await sync_to_async(_stream_of)(request, key, path)
    await release_connections()
    headers = {
        "Content-Type": "multipart/x-mixed-replace; boundary=frame",
        "Cache-Control": "private, no-store",
        "X-Accel-Buffering": "no",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    pictures = moving_pictures(scope, stream_id, Wish(width=None, fps=FPS, with_boxes=True))
    return StreamingHttpResponse(_parts(pictures), headers=headers)


@media_view
async def recording_file(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """The video or the picture of a recording, whole or a range of it."""
    body = await sync_to_async(_opened)(request, key, name)
    return file_response(
        request,
        body.file,
        etag=body.etag,
        content_type=body.content_type,
        still_allowed=still_allowed(login_scope(request, key), body.resource),
    )


async def _parts(pictures: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(pictures):
        async for data in pictures:
            yield _PART_HEAD
            for chunk in chunks_of(data):
                yield chunk
            yield b"\r\n"


def _stream_of(request: HttpRequest, key: str, path: str) -> tuple[Scope, UUID]:
    box = box_of(request, key)
    return box.scope, stream_at(box, path)


def _opened(request: HttpRequest, key: str, name: str) -> Body:
    try:
        box = box_of(request, key)
        wanted = read_file_name(name)
        clip = clip_numbered(box, wanted.number) if wanted is not None else None
        if wanted is None or clip is None:
            raise NotVisibleError("File not found")
        return thumbnail_body(clip.recording) if wanted.is_thumbnail else recording_body(clip.recording)
    finally:
        release_connection()
