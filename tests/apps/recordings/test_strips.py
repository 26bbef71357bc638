"""Preview strips over HTTP: made once by a job, honest about what is recorded, gone with their footage."""

import os
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from apps.core import jobs
from apps.core.models import Task, TaskState
from apps.recordings import housekeeping, strip_views, strips
from apps.recordings.housekeeping import clean_strips
from apps.streams.models import Segment
from tests import factories
from tests.apps.recordings.archive import Archive, at
from tests.apps.recordings.test_media import body_of
from tests.engine.playback.footage import number_in
from tests.engine.playback.test_strips_and_timelapses import gray_in

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = "2026-11-20T12"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a day after noon, whatever day it is."""
    later = SimpleNamespace(now=lambda: at(24 * 3600))
    monkeypatch.setattr(strips, "timezone", later)
    monkeypatch.setattr(strip_views, "timezone", later)
    monkeypatch.setattr(housekeeping, "timezone", later)


@pytest.fixture
async def client(archive: Archive) -> AsyncClient:
    member = await sync_to_async(factories.make_member)(archive.account, "viewer")
    client = AsyncClient(raise_request_exception=True)
    await client.aforce_login(member.user)
    return client


def address(archive: Archive, kind: str = "json", hour: str = HOUR) -> str:
    return f"/media/v1/streams/{archive.stream.pk}/strips/{hour}.{kind}"


async def run_jobs() -> int:
    waiting = [one async for one in Task.objects.filter(kind="strip", state=TaskState.PENDING)]
    for task in waiting:
        await sync_to_async(jobs.run_task)(task.id)
    return len(waiting)


async def test_a_strip_is_made_by_a_job_and_once(archive: Archive, client: AsyncClient) -> None:
    await sync_to_async(archive.record)(0, 20, 20)
    await sync_to_async(archive.record)(60, 10)

    first = await client.get(address(archive))
    again = await client.get(address(archive, "jpg"))
    assert (first.status_code, again.status_code, first["Retry-After"]) == (202, 202, "2")
    assert await run_jobs() == 1

    index = (await client.get(address(archive))).json()
    cues = (await client.get(address(archive, "vtt"))).content.decode()
    sprite = await client.get(address(archive, "jpg"))

    assert [one["at"][11:19] for one in index["tiles"]] == [
        "12:00:00", "12:00:10", "12:00:20", "12:00:30", "12:01:00",
    ]  # fmt: skip
    picture = gray_in(await body_of(sprite))
    shown = [
        number_in(picture[one["y"] : one["y"] + index["height"], one["x"] : one["x"] + index["width"]])
        for one in index["tiles"]
    ]
    assert shown == [0, 100, 200, 300, 600]
    assert cues.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:10.000\n/media/v1/streams/")
    assert "00:01:00.000 --> 00:01:10.000" in cues
    assert "#xywh=640,0,160,96" in cues
    assert await run_jobs() == 0


async def test_new_footage_makes_another_strip_and_the_old_one_is_shown_meanwhile(
    archive: Archive, client: AsyncClient
) -> None:
    await sync_to_async(archive.record)(0, 10)
    await client.get(address(archive))
    await run_jobs()
    await sync_to_async(archive.record)(600, 10)

    meanwhile = (await client.get(address(archive))).json()
    await run_jobs()
    afterwards = (await client.get(address(archive))).json()

    assert (len(meanwhile["tiles"]), len(afterwards["tiles"])) == (1, 2)
    assert len(list(strips.strips_root().glob("*/*.jpg"))) == 1


async def test_a_lost_strip_is_made_again(archive: Archive, client: AsyncClient) -> None:
    await sync_to_async(archive.record)(0, 10)
    await client.get(address(archive))
    await run_jobs()
    for path in strips.strips_root().glob("*/*"):
        path.unlink()

    assert (await client.get(address(archive))).status_code == 202
    await run_jobs()
    assert (await client.get(address(archive))).status_code == 200


async def test_footage_that_cannot_be_read_is_no_strip(archive: Archive, client: AsyncClient) -> None:
    row = (await sync_to_async(archive.record)(0, 10))[0]
    (archive.root / row.path).unlink()

    waiting = await client.get(address(archive))
    await run_jobs()
    refused = await client.get(address(archive))

    assert (waiting.status_code, refused.status_code) == (202, 404)


async def test_bad_hours_name_the_field_and_empty_ones_are_not_found(
    archive: Archive, client: AsyncClient
) -> None:
    for hour in ("2026-11-20", "2026-11-20T24", "2026-11-2T1", "noon", "2026-11-25T12"):
        answer = await client.get(address(archive, hour=hour))
        fields: Any = answer.json()["error"]["fields"]
        assert (answer.status_code, list(fields)) == (400, ["hour"]), hour
    assert (await client.get(address(archive))).status_code == 404


def test_a_strip_goes_with_its_footage(archive: Archive) -> None:
    archive.record(0, 10)
    archive.record(3600, 10)
    for hour in (at(0), at(3600)):
        assert strips.make_strip(strips.StripPlace(archive.stream.pk, hour))
    Segment.objects.filter(start__lt=at(60)).delete()

    assert clean_strips() == "1 deleted"

    assert [path.stem for path in strips.strips_root().glob("*/*.json")] == ["2026-11-20T13"]


def test_old_strips_and_those_beyond_the_bound_go(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.record(0, 10)
    archive.record(3600, 10)
    for number, hour in enumerate((at(0), at(3600))):
        place = strips.StripPlace(archive.stream.pk, hour)
        strips.make_strip(place)
        os.utime(place.index, (number, 2**31 + number))
    monkeypatch.setattr(housekeeping, "STRIPS_BYTES", place.index.stat().st_size + 30_000)

    assert clean_strips() == "0 deleted"
    monkeypatch.setattr(housekeeping, "STRIPS_BYTES", 3000)
    assert clean_strips() in {"1 deleted", "2 deleted"}
    os.utime(place.index, (0, 0)) if place.index.exists() else None
    clean_strips()
    assert list(strips.strips_root().glob("*/*")) == []
