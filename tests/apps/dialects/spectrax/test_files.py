"""SpectraX's files of recordings: XC13 and XC14."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient

from apps.core import http_range
from apps.recordings import clips
from apps.recordings.models import Recording
from apps.recordings.thumbnails import make_thumbnail
from tests import factories
from tests.apps.dialects.spectrax.yard import Yard, add_recording
from tests.engine.playback.footage import read_numbers

pytestmark = pytest.mark.django_db(transaction=True)


def filled(yard: Yard) -> dict[str, Any]:
    """Record ten seconds, of which a recording holds five; return it as it is listed."""
    yard.front.record(0, 5, 5)
    recording = add_recording(yard.front, 3, 8)
    make_thumbnail(recording.pk)
    listed: dict[str, Any] = yard.get("/api/recordings/1")
    return listed


async def body_of(response: HttpResponseBase) -> bytes:
    if not isinstance(response, StreamingHttpResponse):
        return cast("bytes", response.content)  # type: ignore[attr-defined]
    return b"".join([part async for part in cast("AsyncIterator[bytes]", response.streaming_content)])


async def fetch(yard: Yard, address: str, **headers: str) -> HttpResponseBase:
    bearer = {"authorization": f"Bearer {yard.token}"}
    return cast("HttpResponseBase", await AsyncClient().get(address, headers={**bearer, **headers}))


async def test_xc13_files_of_a_recording_and_parts_of_them(yard: Yard, tmp_path: Path) -> None:
    listed = await sync_to_async(filled)(yard)

    video = await fetch(yard, listed["file_url"])
    data = await body_of(video)
    alternative = await fetch(yard, listed["mediaUrl"])
    part = await fetch(yard, listed["file_url"], range="bytes=0-99")
    pictures = [await fetch(yard, listed[name]) for name in ("thumbnail_url", "thumbnailMediaUrl")]

    (tmp_path / "got.mp4").write_bytes(data)
    assert (video.status_code, video["Content-Type"]) == (200, "video/mp4")
    assert int(video["Content-Length"]) == len(data)
    assert [number for number, _ in read_numbers(tmp_path / "got.mp4")] == list(range(30, 80))
    assert await body_of(alternative) == data
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 0-99/{len(data)}")
    assert await body_of(part) == data[:100]
    for picture in pictures:
        assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
        assert (await body_of(picture))[:2] == b"\xff\xd8"
    under_token = await AsyncClient().get(f"/compat/spectrax/{yard.token}{listed['file_url']}")
    assert await body_of(under_token) == data


async def test_xc14_nothing_but_own_files_is_served(yard: Yard) -> None:
    listed = await sync_to_async(filled)(yard)
    stranger = await sync_to_async(factories.make_member)(
        await sync_to_async(factories.make_account)(), "admin"
    )
    token = (await sync_to_async(factories.make_token)(stranger))[1]
    name = listed["file_url"].removeprefix("/recordings/")
    names = (
        "../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cetc", "recordings.db", "", "x",
        name.replace("_1.mp4", "_2.mp4"), name.replace(".mp4", ".jpg"), name.replace(".mp4", "_thumb.mp4"),
        f"folder/{name}", f"{name}%00", f"{name}/", name.replace("_1.", "_99999999999."), name.upper(),
    )  # fmt: skip

    for folder in ("/recordings/", "/api/recordings/file/"):
        for wrong in names:
            answer = await fetch(yard, folder + wrong)
            assert answer.status_code == 404, wrong
            assert b"root:" not in await body_of(answer)
        for address in (folder + name, folder + name.replace(".mp4", "_thumb.jpg")):
            foreign = await AsyncClient().get(address, headers={"authorization": f"Bearer {token}"})
            assert foreign.status_code == 404
            assert foreign.json() == {
                "status": "error",
                "message": "File not found",
                "detail": "File not found",
            }


async def test_a_file_keeps_its_address_when_the_camera_is_renamed(yard: Yard) -> None:
    listed = await sync_to_async(filled)(yard)
    before = await body_of(await fetch(yard, listed["file_url"]))
    yard.front.stream.camera.name = "Garden gate"
    await yard.front.stream.camera.asave()

    assert await body_of(await fetch(yard, listed["file_url"])) == before
    assert (await sync_to_async(yard.get)("/api/recordings/1"))["stream_name"] == "garden-gate"


async def test_footage_that_is_gone_is_not_found(yard: Yard) -> None:
    listed = await sync_to_async(filled)(yard)
    for file in yard.front.root.glob("*.mp4"):
        file.unlink()

    answer = await fetch(yard, listed["file_url"])

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


async def test_a_body_ends_when_the_token_is_revoked(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_range, "RECHECK_S", 0.0)
    monkeypatch.setattr(http_range, "CHUNK_BYTES", 1000)
    listed = await sync_to_async(filled)(yard)
    response = await AsyncClient().get(f"/compat/spectrax/{yard.token}{listed['file_url']}")

    received = 0
    assert isinstance(response, StreamingHttpResponse)
    async for part in cast("AsyncIterator[bytes]", response.streaming_content):
        received += len(part)
        await yard.viewer.tokens.all().adelete()

    assert received == 1000 < int(response["Content-Length"])


async def test_no_connection_is_held_while_a_file_is_sent(yard: Yard) -> None:
    listed = await sync_to_async(filled)(yard)

    response = await fetch(yard, listed["file_url"])

    assert await sync_to_async(lambda: connections["default"].connection)() is None
    await body_of(response)


async def test_a_recording_of_hours_plays_and_one_too_large_for_a_file_says_so(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lengthen() -> None:
        filled(yard)
        Recording.objects.update(end=Recording.objects.get().start.replace(hour=14))

    await sync_to_async(lengthen)()
    listed = await sync_to_async(yard.get)("/api/recordings/1")

    played = await fetch(yard, listed["file_url"])
    monkeypatch.setattr(clips, "MAX_CLIP_BYTES", 100)
    refused = await fetch(yard, listed["file_url"])

    assert (played.status_code, played["Content-Type"]) == (200, "video/mp4")
    await body_of(played)
    assert refused.status_code == 409
    assert b'"status": "error"' in await body_of(refused)
