"""Files that were cut, spoiled or deleted behind Omma's back: an error, never a part that looks whole."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from django.test import AsyncClient

from apps.core import http_range
from apps.recordings import clips
from apps.streams.models import Segment
from tests import factories
from tests.apps.recordings.archive import Archive
from tests.apps.recordings.test_media import body_of, make_recording, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def client(archive: Archive) -> AsyncClient:
    member = await sync_to_async(factories.make_member)(archive.account, "viewer")
    client = AsyncClient(raise_request_exception=True)
    await client.aforce_login(member.user)
    return client


def error_code(response: HttpResponseBase) -> str:
    answer: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    return str(answer["error"]["code"])


async def test_of_a_cut_segment_what_is_left_is_served_and_nothing_more(
    archive: Archive, client: AsyncClient
) -> None:
    row = (await sync_to_async(archive.record)(0, 4))[0]
    path = archive.root / row.path
    data = path.read_bytes()
    path.write_bytes(data[:3000])
    address = f"/media/v1/segments/{row.id}.mp4"

    whole = await client.get(address)
    left = await client.get(address, headers={"Range": "bytes=1000-2999"})
    across = await client.get(address, headers={"Range": "bytes=2000-3000"})
    head = await client.head(address)

    assert [(one.status_code, error_code(one)) for one in (whole, across)] == [(409, "damaged_footage")] * 2
    assert head.status_code == 409
    assert (left.status_code, left["Content-Range"]) == (206, f"bytes 1000-2999/{row.durable_bytes}")
    assert await body_of(left) == data[1000:3000]


async def test_body_of_a_file_that_is_cut_meanwhile_ends_short_of_its_length(
    archive: Archive, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_range, "CHUNK_BYTES", 1000)
    row = (await sync_to_async(archive.record)(0, 4))[0]

    response = await client.get(f"/media/v1/segments/{row.id}.mp4")
    with (archive.root / row.path).open("r+b") as file:
        file.truncate(2500)

    assert len(await body_of(response)) == 2500 < int(response["Content-Length"]) == row.durable_bytes


def _spoil(path: Path, offset: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * count)


@pytest.mark.parametrize("spoiled", [0, 1, 3])
async def test_clip_of_spoiled_boxes_is_refused_whole(
    archive: Archive, client: AsyncClient, spoiled: int
) -> None:
    row = (await sync_to_async(archive.record)(0, 4))[0]
    offset, size = row.fragments[spoiled][2:4]
    _spoil(archive.root / row.path, offset, min(size, 64))

    response = await client.get(
        f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(0)}&end={text(4)}"
    )

    assert (response.status_code, error_code(response)) == (409, "damaged_footage")
    assert not list(clips.cache_folder().glob("*.mp4")) + list(clips.cache_folder().glob("*.part"))


async def test_clip_of_a_header_that_is_garbage_is_refused(archive: Archive, client: AsyncClient) -> None:
    row = (await sync_to_async(archive.record)(0, 2))[0]
    _spoil(archive.root / row.path, 0, row.init_size)

    response = await client.get(
        f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(0)}&end={text(2)}"
    )

    assert (response.status_code, error_code(response)) == (409, "damaged_footage")


async def test_clip_of_a_cut_or_vanished_file_is_not_found(archive: Archive, client: AsyncClient) -> None:
    rows = await sync_to_async(archive.record)(0, 2, 2)
    address = f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(0)}&end={text(4)}"
    (archive.root / rows[1].path).write_bytes((archive.root / rows[1].path).read_bytes()[:-100])

    cut = await client.get(address)
    (archive.root / rows[1].path).unlink()
    vanished = await client.get(address)

    assert [cut.status_code, vanished.status_code] == [404, 404]


async def test_a_recording_of_many_hours_plays_where_its_bytes_fit(
    archive: Archive, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync_to_async(archive.record)(0, 2)
    await sync_to_async(archive.record)(3 * 3600, 2)
    row = await sync_to_async(make_recording)(archive, 0, 3 * 3600 + 2)
    address = f"/media/v1/recordings/{row.pk}.mp4"

    played = await client.get(address)
    monkeypatch.setattr(clips, "MAX_CLIP_BYTES", 100)
    refused = await client.get(address)

    assert (played.status_code, played["Omma-End"]) == (200, text(3 * 3600 + 2))
    assert (refused.status_code, error_code(refused)) == (409, "too_large")


async def test_playlist_reaches_over_gaps_for_a_day_and_no_more(
    archive: Archive, client: AsyncClient
) -> None:
    rows = await sync_to_async(archive.record)(0, 2)
    rows += await sync_to_async(archive.record)(5 * 3600, 2)
    address = f"/media/v1/streams/{archive.stream.pk}/playlist.m3u8"

    day = (await client.get(f"{address}?start={text(-3600)}&end={text(22 * 3600)}")).content.decode()
    longer = await client.get(f"{address}?start={text(-3600)}&end={text(24 * 3600)}")
    future = await client.get(f"{address}?start=2126-01-01T00:00:00Z&end=2126-01-01T00:01:00Z")

    named = [UUID(line[-40:-4]) for line in day.splitlines() if line.startswith("/media")]
    assert named == [one.id for one in rows]
    assert day.count("#EXT-X-DISCONTINUITY") == 1
    assert [line for line in day.splitlines() if "PROGRAM-DATE-TIME" in line] == [
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T12:00:00.000Z",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T17:00:00.000Z",
    ]
    assert list(longer.json()["error"]["fields"]) == ["end"]
    assert list(future.json()["error"]["fields"]) == ["start"]


async def test_range_over_two_epochs_plays_the_newer_where_they_overlap(
    archive: Archive, client: AsyncClient
) -> None:
    first = (await sync_to_async(archive.record)(0, 4))[0]
    second = (await sync_to_async(archive.record)(2, 4))[0]
    await Segment.objects.filter(id=second.id).aupdate(epoch=1 << 20)

    response = await client.get(
        f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(0)}&end={text(6)}"
    )
    playlist = await client.get(
        f"/media/v1/streams/{archive.stream.pk}/playlist.m3u8?start={text(0)}&end={text(6)}"
    )

    assert (response.status_code, response["Omma-End"]) == (200, text(6))
    uris = [line for line in playlist.content.decode().splitlines() if line.startswith("/media")]
    assert list(dict.fromkeys(uris)) == [f"/media/v1/segments/{one.id}.mp4" for one in (first, second)]
