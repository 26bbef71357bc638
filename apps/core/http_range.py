"""Files as HTTP bodies under ASGI: single byte ranges, validators and bounded memory (RFC 9110, RFC 6266).

A view authorises, opens the file, closes its database connection and returns `file_response`. The body is
read in chunks off the event loop. Several ranges in one request are answered with the whole file, which
RFC 9110 section 14.2 allows and every player takes.
"""

import asyncio
import os
import re
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags, quote_etag

from apps.core.exceptions import ConflictError

CHUNK_BYTES = 256 * 1024
RECHECK_S = 5.0
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_MAX_NAME_LENGTH = 120
_FORBIDDEN_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')

StillAllowed = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """Bytes `[start, end)` of a body."""

    start: int
    end: int


class UnsatisfiableRangeError(ValueError):
    """The range asked for begins after the last byte."""


class OpenFile:
    """A descriptor that is served once, `size` bytes of it; an unlinked file stays readable.

    `stored` is how many bytes the file has: fewer than `size` where it was cut since.
    """

    def __init__(self, descriptor: int, size: int | None = None) -> None:
        self._descriptor = descriptor
        self._is_closed = False
        self.stored = os.fstat(descriptor).st_size
        self.size = self.stored if size is None else size

    def read_at(self, offset: int, count: int) -> bytes:
        return b"" if self._is_closed else os.pread(self._descriptor, count, offset)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            os.close(self._descriptor)


def file_response(
    request: HttpRequest,
    file: OpenFile,
    *,
    etag: str,
    content_type: str,
    filename: str | None = None,
    still_allowed: StillAllowed | None = None,
) -> HttpResponseBase:
    """Answer a GET or HEAD with a file, or the part of it that is asked for.

    `etag` is strong: the same one means the same bytes. `still_allowed` is asked every few seconds while the
    body flows; the body ends where it says no. `filename` makes it a download.

    Raises:
        ConflictError: bytes that are asked for are missing from the file; what is left of it is served.
    """
    headers = {
        "ETag": quote_etag(etag),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if filename is not None:
        headers["Content-Disposition"] = disposition(filename)
    early = _precondition_answer(request, quote_etag(etag))
    if early is not None:
        file.close()
        for name, value in headers.items():
            early[name] = value
        return early
    try:
        span = wanted_span(request, quote_etag(etag), file.size)
    except UnsatisfiableRangeError:
        file.close()
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    if (span.end if span is not None else file.size) > file.stored:
        file.close()
        raise ConflictError("This file is damaged: bytes of it are missing.", code="damaged_footage")
    return _body_response(request, file, span, headers | {"Content-Type": content_type}, still_allowed)


def wanted_span(request: HttpRequest, etag: str, size: int) -> ByteSpan | None:
    """Return the single range that this request asks for, or None when the whole file is the answer.

    Raises:
        UnsatisfiableRangeError: the range selects no byte.
    """
    if request.method != "GET":
        return None  # ranges are defined for GET alone
    if_range = request.headers.get("If-Range")
    if if_range is not None and if_range.strip() != etag:
        return None
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None  # invalid, and so as if it were not there
    if start >= end:
        raise UnsatisfiableRangeError
    return ByteSpan(start, end)


def disposition(filename: str) -> str:
    """Return a Content-Disposition that saves under this name, whatever is in it.

    >>> disposition('Tür "1"\\r\\nX: y.mp4')
    "attachment; filename*=utf-8''T%C3%BCr%20_1_%20X_%20y.mp4"
    """
    text = "".join(" " if unicodedata.category(one).startswith("Z") else one for one in filename[:4096])
    text = "".join(" " if one in "\r\n\t" else one for one in text)
    text = "".join(one for one in text if not unicodedata.category(one).startswith("C"))
    text = re.sub(r" +", " ", _FORBIDDEN_IN_NAMES.sub("_", text)).strip(" .")
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 8:
        stem, dot, suffix = text, "", ""
    name = f"{stem[: _MAX_NAME_LENGTH - len(suffix) - 1]}{dot}{suffix}" or "download"
    header = content_disposition_header(as_attachment=True, filename=name)
    return header or "attachment"


def _precondition_answer(request: HttpRequest, etag: str) -> HttpResponse | None:
    if_match = request.headers.get("If-Match")
    if if_match is not None and if_match.strip() != "*" and etag not in parse_etags(if_match):
        return HttpResponse(status=412)
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is not None:
        listed = {one.removeprefix("W/") for one in parse_etags(if_none_match)}
        if if_none_match.strip() == "*" or etag in listed:
            return HttpResponse(status=304)
    return None


def _body_response(
    request: HttpRequest,
    file: OpenFile,
    span: ByteSpan | None,
    headers: dict[str, str],
    still_allowed: StillAllowed | None,
) -> HttpResponseBase:
    part = span or ByteSpan(0, file.size)
    headers["Content-Length"] = str(part.end - part.start)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    status = 200 if span is None else 206
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_FileBody(file, part, still_allowed), status=status, headers=headers)


class _FileBody:
    """The bytes of a span, chunk by chunk. Django calls `close` when the answer is over, sent or not."""

    def __init__(self, file: OpenFile, span: ByteSpan, still_allowed: StillAllowed | None) -> None:
        self._file = file
        self._span = span
        self._still_allowed = still_allowed

    def close(self) -> None:
        self._file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        position = self._span.start
        checked_s = time.monotonic()
        while position < self._span.end:
            if self._still_allowed is not None and time.monotonic() - checked_s >= RECHECK_S:
                if not await self._still_allowed():
                    return
                checked_s = time.monotonic()
            count = min(CHUNK_BYTES, self._span.end - position)
            chunk = await asyncio.to_thread(self._file.read_at, position, count)
            if not chunk:
                return
            position += len(chunk)
            yield chunk
