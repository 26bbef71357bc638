"""Playing over HTTP: clips, playlists, segments and thumbnails, for those who may and nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient

from apps.accounts.models import User
from apps.core import http_range
from apps.recordings import clips
from apps.recordings.growing import Cause, Sighting, grow, open_or_extend
from apps.recordings.housekeeping import clean_thumbnails
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.recordings.thumbnails import make_thumbnail, thumbnails_root
from apps.streams.models import Segment, SegmentState
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at
from tests.engine.playback.footage import read_numbers

pytestmark = pytest.mark.django_db(transaction=True)


def text(seconds: float) -> str:
    return f"{at(seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


@pytest.fixture
def viewer(archive: Archive) -> User:
    return factories.make_member(archive.account, "viewer").user


@pytest.fixture
async def client(viewer: User) -> AsyncClient:
    client = AsyncClient(raise_request_exception=True)
    await client.aforce_login(viewer)
    return client


def make_recording(archive: Archive, start_s: int, end_s: int, **fields: object) -> Recording:
    defaults: dict[str, object] = {"number": 1, "state": RecordingState.DONE, "cause_kind": CauseKind.RULE}
    return Recording.objects.create(
        account=archive.account,
        camera=archive.stream.camera,
        stream=archive.stream,
        wanted_start=at(start_s),
        start=at(start_s),
        end=at(end_s),
        **{**defaults, **fields},
    )


async def body_of(response: HttpResponseBase) -> bytes:
    if not isinstance(response, StreamingHttpResponse):
        return cast("bytes", response.content)  # type: ignore[attr-defined]
    return b"".join([part async for part in cast("AsyncIterator[bytes]", response.streaming_content)])


async def test_recording_plays_exactly_its_pictures(
    archive: Archive, client: AsyncClient, tmp_path: Path
) -> None:
    await sync_to_async(archive.record)(0, 5, 5)
    row = await sync_to_async(make_recording)(archive, 3, 8)

    response = await client.get(f"/media/v1/recordings/{row.pk}.mp4")

    data = await body_of(response)
    (tmp_path / "got.mp4").write_bytes(data)
    assert response.status_code == 200
    assert response["Content-Type"] == "video/mp4"
    assert int(response["Content-Length"]) == len(data)
    assert (response["Omma-Start"], response["Omma-End"], response["Omma-Surplus-Ms"]) == (
        text(3),
        text(8),
        "0",
    )
    assert read_numbers(tmp_path / "got.mp4") == [(30 + n, n * 100_000) for n in range(50)]


async def test_parts_of_it_are_the_same_bytes_under_the_same_tag(
    archive: Archive, client: AsyncClient
) -> None:
    await sync_to_async(archive.record)(0, 5)
    row = await sync_to_async(make_recording)(archive, 0, 5)
    address = f"/media/v1/recordings/{row.pk}.mp4"
    whole = await client.get(address)
    data = await body_of(whole)

    part = await client.get(address, headers={"Range": "bytes=1000-1999", "If-Range": whole["ETag"]})
    head = await client.head(address)
    known = await client.get(address, headers={"If-None-Match": whole["ETag"]})

    assert part.status_code == 206
    assert part["Content-Range"] == f"bytes 1000-1999/{len(data)}"
    assert await body_of(part) == data[1000:2000]
    assert (head.status_code, head["Content-Length"], await body_of(head)) == (200, str(len(data)), b"")
    assert known.status_code == 304


async def test_any_range_of_a_stream_plays_and_states_its_surplus(
    archive: Archive, client: AsyncClient, tmp_path: Path
) -> None:
    await sync_to_async(archive.record)(0, 5, 5)

    address = f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(4.3)}&end={text(6.1)}&download=1"
    response = await client.get(address)

    (tmp_path / "got.mp4").write_bytes(await body_of(response))
    assert response["Omma-Surplus-Ms"] == "300"
    assert [number for number, _ in read_numbers(tmp_path / "got.mp4")] == list(range(40, 70))
    assert response["Content-Disposition"].startswith("attachment;")


async def test_growing_recording_is_cut_where_its_address_says(
    archive: Archive, client: AsyncClient, tmp_path: Path
) -> None:
    await sync_to_async(archive.record)(0, 5, 5)
    row = await sync_to_async(make_recording)(archive, 0, 9, state=RecordingState.ACTIVE)

    first = await client.get(f"/media/v1/recordings/{row.pk}.mp4?end={text(4)}")
    await Recording.objects.aupdate(end=at(10))
    again = await client.get(f"/media/v1/recordings/{row.pk}.mp4?end={text(4)}")

    assert first["ETag"] == again["ETag"]
    assert first["Omma-End"] == text(4)


BAD_RANGES = (
    ("", "start"),
    ("start=yesterday&end=2026-11-20T12:00:10Z", "start"),
    ("start=2026-11-20T12:00:00&end=2026-11-20T12:00:10Z", "start"),
    ("start=2026-13-40T12:00:00Z&end=2026-11-20T12:00:10Z", "start"),
    ("start=2026-11-20T12:00:00Z", "end"),
    ("start=2026-11-20T12:00:10Z&end=2026-11-20T12:00:00Z", "end"),
    ("start=2026-11-20T12:00:00Z&end=2026-11-20T14:00:00Z", "end"),
    ("start=2126-11-20T12:00:00Z&end=2126-11-20T12:01:00Z", "start"),
    ("start=2126-11-20T12:00:10Z&end=2126-11-20T12:00:00Z", "end"),
)


async def test_bad_ranges_name_the_field(archive: Archive, client: AsyncClient) -> None:
    for query, field in BAD_RANGES:
        response = await client.get(f"/media/v1/streams/{archive.stream.pk}/video.mp4?{query}")

        assert (response.status_code, list(response.json()["error"]["fields"])) == (400, [field]), query


async def test_time_without_footage_is_not_found(archive: Archive, client: AsyncClient) -> None:
    address = f"/media/v1/streams/{archive.stream.pk}"

    for name in ("video.mp4", "playlist.m3u8"):
        response = await client.get(f"{address}/{name}?start={text(0)}&end={text(5)}")
        assert response.status_code == 404


async def test_change_of_kind_is_a_conflict_that_lists_the_parts(
    archive: Archive, client: AsyncClient
) -> None:
    rows = await sync_to_async(archive.record)(0, 3, 3)
    await Segment.objects.filter(id=rows[1].id).aupdate(width=320)

    response = await client.get(
        f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(0)}&end={text(6)}"
    )

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "mixed_footage"
    assert response.json()["error"]["detail"]["parts"] == [
        {"start": "2026-11-20T12:00:00Z", "end": "2026-11-20T12:00:03Z"},
        {"start": "2026-11-20T12:00:03Z", "end": "2026-11-20T12:00:06Z"},
    ]


async def test_playlist_names_segments_that_can_be_fetched_by_range(
    archive: Archive, client: AsyncClient
) -> None:
    rows = await sync_to_async(archive.record)(0, 4)
    data = (archive.root / rows[0].path).read_bytes()

    address = f"/media/v1/streams/{archive.stream.pk}/playlist.m3u8?start={text(0)}&end={text(4)}"
    playlist = (await client.get(address)).content.decode()
    ranges = [
        line.split(":")[1].split("@") for line in playlist.splitlines() if line.startswith("#EXT-X-BYTERANGE")
    ]
    uris = {line for line in playlist.splitlines() if line and not line.startswith("#")}

    assert uris == {f"/media/v1/segments/{rows[0].id}.mp4"}
    for size, offset in ((int(size), int(offset)) for size, offset in ranges):
        part = await client.get(uris.copy().pop(), headers={"Range": f"bytes={offset}-{offset + size - 1}"})
        assert await body_of(part) == data[offset : offset + size]
    assert playlist.endswith("#EXT-X-ENDLIST\n")


async def test_open_segment_ends_at_its_durable_bytes(archive: Archive, client: AsyncClient) -> None:
    row = (await sync_to_async(archive.record)(0, 4))[0]
    await Segment.objects.aupdate(state=SegmentState.OPEN, durable_bytes=2000)

    whole = await client.get(f"/media/v1/segments/{row.id}.mp4")
    beyond = await client.get(f"/media/v1/segments/{row.id}.mp4", headers={"Range": "bytes=2000-2100"})

    assert len(await body_of(whole)) == 2000
    assert beyond.status_code == 416


async def test_garbage_and_missing_files_are_not_found(archive: Archive, client: AsyncClient) -> None:
    garbage, missing = await sync_to_async(archive.record)(0, 2, 2)
    await Segment.objects.filter(id=garbage.id).aupdate(state=SegmentState.GARBAGE)
    (archive.root / missing.path).unlink()

    for row in (garbage, missing):
        assert (await client.get(f"/media/v1/segments/{row.id}.mp4")).status_code == 404
    address = f"/media/v1/streams/{archive.stream.pk}/video.mp4?start={text(2)}&end={text(4)}"
    assert (await client.get(address)).status_code == 404


async def test_body_goes_on_when_the_clip_and_the_footage_are_deleted(
    archive: Archive, client: AsyncClient
) -> None:
    await sync_to_async(archive.record)(0, 5)
    row = await sync_to_async(make_recording)(archive, 0, 5)
    response = await client.get(f"/media/v1/recordings/{row.pk}.mp4")
    for path in [*clips.cache_folder().glob("*"), *archive.root.glob("*.mp4")]:
        path.unlink()

    assert len(await body_of(response)) == int(response["Content-Length"])


async def test_thumbnail_shows_the_best_moment(archive: Archive, client: AsyncClient) -> None:
    await sync_to_async(archive.record)(0, 5, 5)
    row = await sync_to_async(make_recording)(archive, 1, 9, best_at=at(6.4))
    address = f"/media/v1/recordings/{row.pk}/thumbnail.jpg"
    assert (await client.get(address)).status_code == 404

    assert await sync_to_async(make_thumbnail)(row.pk)

    response = await client.get(address)
    data = await body_of(response)
    assert (response.status_code, response["Content-Type"], data[:2]) == (200, "image/jpeg", b"\xff\xd8")
    listed = (await client.get("/api/v1/recordings/")).json()["results"][0]
    assert listed["thumbnail_url"] == address


def test_thumbnails_without_a_recording_are_swept(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.record(0, 5)
    row = make_recording(archive, 0, 5)
    make_thumbnail(row.pk)
    orphan = thumbnails_root() / "aa" / f"{uuid7()}-1.jpg"
    orphan.parent.mkdir(parents=True)
    orphan.touch()
    monkeypatch.setattr("apps.recordings.housekeeping._GRACE_S", -1.0)

    assert clean_thumbnails() == "1 files deleted"

    row.refresh_from_db()
    assert (thumbnails_root() / row.thumbnail).exists()


ADDRESSES = (
    "recordings/{recording}.mp4",
    "recordings/{recording}/thumbnail.jpg",
    "streams/{stream}/video.mp4?start=2026-11-20T12:00:00Z&end=2026-11-20T12:00:02Z",
    "streams/{stream}/playlist.m3u8?start=2026-11-20T12:00:00Z&end=2026-11-20T12:00:02Z",
    "segments/{segment}.mp4",
)


def _addresses(archive: Archive) -> dict[str, object]:
    segment = archive.record(0, 5)[0]
    row = make_recording(archive, 0, 5)
    make_thumbnail(row.pk)
    return {"recording": row.pk, "stream": archive.stream.pk, "segment": segment.id}


async def test_foreign_and_absent_answer_alike_and_nobody_gets_in_without_a_login(
    archive: Archive, client: AsyncClient
) -> None:
    here = await sync_to_async(_addresses)(archive)
    nowhere = dict.fromkeys(here, UUID("01890000-0000-7000-8000-000000000000"))
    stranger, anonymous = AsyncClient(), AsyncClient()
    other = await sync_to_async(factories.make_account)("Other")
    await stranger.aforce_login((await sync_to_async(factories.make_member)(other, "admin")).user)

    for address in ADDRESSES:
        own = await client.get("/media/v1/" + address.format(**here))
        foreign = await stranger.get("/media/v1/" + address.format(**here))
        absent = await client.get("/media/v1/" + address.format(**nowhere))
        outside = await anonymous.get("/media/v1/" + address.format(**here))
        outside_absent = await anonymous.get("/media/v1/" + address.format(**nowhere))

        assert (own.status_code, own["Cache-Control"]) == (200, "private, no-store")
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert foreign.content == absent.content
        assert (outside.status_code, outside_absent.status_code) == (401, 401)
        assert outside.content == outside_absent.content


async def test_body_stops_when_the_member_is_removed(
    archive: Archive, client: AsyncClient, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_range, "RECHECK_S", 0.0)
    monkeypatch.setattr(http_range, "CHUNK_BYTES", 1000)
    await sync_to_async(archive.record)(0, 5)
    row = await sync_to_async(make_recording)(archive, 0, 5)
    response = await client.get(f"/media/v1/recordings/{row.pk}.mp4")

    received = 0
    assert isinstance(response, StreamingHttpResponse)
    async for part in cast("AsyncIterator[bytes]", response.streaming_content):
        received += len(part)
        await viewer.memberships.all().adelete()

    assert received == 1000 < int(response["Content-Length"])


async def test_no_database_connection_is_held_while_a_body_is_sent(
    archive: Archive, client: AsyncClient
) -> None:
    await sync_to_async(archive.record)(0, 5)
    row = await sync_to_async(make_recording)(archive, 0, 5)

    response = await client.get(f"/media/v1/recordings/{row.pk}.mp4")

    assert await sync_to_async(lambda: connections["default"].connection)() is None
    await body_of(response)


def test_rule_recording_plays_with_its_pre_roll(archive: Archive, tmp_path: Path) -> None:
    archive.record(0, 10, 10, 10, 10)
    sighting = Sighting(at(15.3), at(18), "person", 0.9)
    recording = open_or_extend(stream_id=archive.stream.pk, cause=Cause(CauseKind.RULE), sighting=sighting)
    grow(recording.pk, at(40))
    recording.refresh_from_db()

    built = clips.clip_of_range(archive.stream.pk, recording.start, recording.end)

    numbers = [number for number, _ in read_numbers(built.clip.path)]
    assert recording.state == RecordingState.DONE
    assert numbers == list(range(50, 280))
