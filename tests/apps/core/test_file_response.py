"""Files as HTTP bodies: ranges, validators, names, and memory."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from apps.core import http_range
from apps.core.http_range import CHUNK_BYTES, OpenFile, disposition, file_response

DATA = bytes(range(256)) * 4
ETAG = '"abc"'


@pytest.fixture
def data_path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def answer(
    path: Path, *, method: str = "GET", filename: str | None = None, **headers: str
) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/file", headers=headers)
    file = OpenFile(os.open(path, os.O_RDONLY))
    return file_response(request, file, etag="abc", content_type="video/mp4", filename=filename)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def body_of(response: HttpResponseBase) -> bytes:
    if not isinstance(response, StreamingHttpResponse):
        return cast("bytes", response.content)  # type: ignore[attr-defined]
    parts = [part async for part in cast("AsyncIterator[bytes]", response.streaming_content)]
    response.close()
    return b"".join(parts)


async def test_whole_file_has_its_length_and_a_strong_tag(data_path: Path) -> None:
    response = answer(data_path)

    assert response.status_code == 200
    assert await body_of(response) == DATA
    assert response["Content-Length"] == str(len(DATA))
    assert response["ETag"] == ETAG
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "video/mp4"
    assert "Content-Disposition" not in response


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1024),
        ("bytes=100-199", 100, 200),
        ("bytes=1000-99999", 1000, 1024),
        ("bytes=1023-", 1023, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-99999", 0, 1024),
    ],
)
async def test_single_range_is_partial_content(data_path: Path, asked: str, start: int, end: int) -> None:
    response = answer(data_path, Range=asked)

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert response["Content-Length"] == str(end - start)
    assert await body_of(response) == DATA[start:end]


@pytest.mark.parametrize(
    "asked", ["bytes=1024-", "bytes=99999-100000", "bytes=-0", "bytes=999999999999999999-"]
)
async def test_range_after_the_end_cannot_be_satisfied(data_path: Path, asked: str) -> None:
    response = answer(data_path, Range=asked)

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */1024"
    assert await body_of(response) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=5-4",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-1;x",
        "items=0-1",
        "bytes",
        "bytes=٣-٤",
        "bytes=" + "9" * 400 + "-",
        "bytes=0x0-1",
        "bytes=-1-2",
    ],
)
async def test_several_or_malformed_ranges_get_the_whole(data_path: Path, asked: str) -> None:
    request = RequestFactory().get("/file")
    request.META["HTTP_RANGE"] = asked

    file = OpenFile(os.open(data_path, os.O_RDONLY))
    response = file_response(request, file, etag="abc", content_type="video/mp4")

    assert response.status_code == 200
    assert await body_of(response) == DATA


async def test_nothing_of_an_empty_file_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert answer(tmp_path / "empty").status_code == 200
    assert answer(tmp_path / "empty", Range="bytes=0-").status_code == 416


@pytest.mark.parametrize(
    ("validator", "status"),
    [(ETAG, 206), ('"other"', 200), ('W/"abc"', 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)],
)
async def test_if_range_compares_strongly(data_path: Path, validator: str, status: int) -> None:
    response = answer(data_path, **{"Range": "bytes=0-9", "If-Range": validator})

    assert response.status_code == status
    assert len(await body_of(response)) == (10 if status == 206 else 1024)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("If-None-Match", ETAG, 304),
        ("If-None-Match", f'"x", W/{ETAG}', 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"x"', 200),
        ("If-Match", ETAG, 200),
        ("If-Match", "*", 200),
        ("If-Match", '"x"', 412),
    ],
)
async def test_preconditions(data_path: Path, header: str, value: str, status: int) -> None:
    response = answer(data_path, **{header: value})

    assert response.status_code == status
    assert response["ETag"] == ETAG


async def test_head_tells_the_length_and_sends_nothing(data_path: Path) -> None:
    response = answer(data_path, method="HEAD", Range="bytes=0-9")

    assert response.status_code == 200
    assert response["Content-Length"] == "1024"
    assert await body_of(response) == b""


async def test_declared_size_bounds_what_is_read(data_path: Path) -> None:
    file = OpenFile(os.open(data_path, os.O_RDONLY), size=100)

    response = file_response(RequestFactory().get("/file"), file, etag="abc", content_type="video/mp4")

    assert await body_of(response) == DATA[:100]


async def test_large_file_comes_in_bounded_chunks_and_survives_its_deletion(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(CHUNK_BYTES * 3 + 17))
    expected = path.read_bytes()
    response = answer(path)
    path.unlink()

    assert isinstance(response, StreamingHttpResponse)
    content = cast("AsyncIterator[bytes]", response.streaming_content)
    parts = [part async for part in content]

    assert [len(part) for part in parts] == [CHUNK_BYTES] * 3 + [17]
    assert b"".join(parts) == expected


@pytest.mark.parametrize("case", ["sent", "unsent", "head", "unchanged", "unsatisfiable"])
async def test_descriptor_is_closed_in_every_case(data_path: Path, case: str) -> None:
    before = open_descriptors()
    headers = {"unchanged": {"If-None-Match": "*"}, "unsatisfiable": {"Range": "bytes=9999-"}}.get(case, {})

    response = answer(data_path, method="HEAD" if case == "head" else "GET", **headers)
    if case == "sent":
        await body_of(response)
    response.close()

    assert open_descriptors() == before


async def test_body_ends_when_the_right_is_withdrawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_range, "RECHECK_S", 0.0)
    path = tmp_path / "large"
    path.write_bytes(bytes(CHUNK_BYTES * 4))
    answers = iter([True, True, False])
    file = OpenFile(os.open(path, os.O_RDONLY))

    response = file_response(
        RequestFactory().get("/file"),
        file,
        etag="a",
        content_type="x/y",
        still_allowed=_asked(answers.__next__),
    )

    assert len(await body_of(response)) == CHUNK_BYTES * 2


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "..\\..\\x.mp4",
        "a\r\nSet-Cookie: x=1.mp4",
        "nul\0byte.mp4",
        "\u202egpj.mp4",
        "x" * 65536 + ".mp4",
        '"; filename="evil.html',
        "ŝtone-\U0001f41f.mp4",
        "",
        "...",
        "%0d%0aX: y",
    ],
)
def test_hostile_names_keep_the_header_whole(name: str) -> None:
    header = disposition(name)

    assert header.startswith("attachment; filename")
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 1200
    assert header.count("filename") == 1 + name.count("filename")
    value = header.split("=", 1)[1]
    assert not set(value) & set("/\\\r\n\0")


def _asked(answer_once: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return answer_once()

    return ask
