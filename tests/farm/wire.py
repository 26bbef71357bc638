"""Requests and responses of RTSP and HTTP, which share one notation."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

_INTERLEAVED = b"$"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    protocol: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, or None at the end; interleaved packets from the client are skipped.

    Raises `ValueError` and `asyncio.IncompleteReadError` on what is no request.
    """
    while True:
        first = await reader.read(1)
        if not first:
            return None
        if first != _INTERLEAVED:
            break
        header = await reader.readexactly(3)
        await reader.readexactly(int.from_bytes(header[1:], "big"))
    line = (first + await reader.readline()).decode("utf-8", "replace").strip()
    if not line:
        return await read_request(reader)
    method, target, protocol = line.split()
    headers = await _read_headers(reader)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, protocol, headers, body)


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("utf-8", "replace").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def write_response(
    writer: asyncio.StreamWriter, status_line: str, headers: Mapping[str, str], body: bytes | None
) -> None:
    """Write one response; a body of None means that it follows, of unknown length."""
    fields = dict(headers)
    if body is not None:
        fields["Content-Length"] = str(len(body))
    text = "\r\n".join([status_line, *(f"{name}: {value}" for name, value in fields.items()), "", ""])
    writer.write(text.encode() + (body or b""))
