"""Time-lapses: the right pictures at the right pace, in turns, and a clear word where there is nothing."""

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from apps.accounts.models import User
from apps.core import jobs
from apps.core.models import Task, TaskState
from apps.recordings.exports import timelapse_job
from apps.recordings.exports.places import exports_root, video_path
from apps.recordings.models import Export
from apps.streams.models import Segment
from tests import factories
from tests.apps.recordings.archive import Archive, make_archive
from tests.apps.recordings.test_media import body_of, text
from tests.engine.playback.footage import read_numbers

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/exports/"


@pytest.fixture
def viewer(archive: Archive) -> User:
    return factories.make_member(archive.account, "viewer").user


@pytest.fixture
def client(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


def ask(client: Client, archive: Archive, **more: Any) -> Any:
    values = {"kind": "timelapse", "streams": [str(archive.stream.pk)], "start": text(0), "end": text(60)}
    return client.post(
        URL, {**values, "every_s": 5, "frame_rate": 10, **more}, content_type="application/json"
    )


def run(turns: int = 1) -> list[str]:
    states = []
    for _ in range(turns):
        jobs.run_task(Task.objects.get(kind="timelapse").id)
        states.append(Task.objects.get(kind="timelapse").state)
    return states


def test_pictures_are_as_far_apart_as_asked_and_holes_are_skipped(
    archive: Archive, client: Client, tmp_path: Path
) -> None:
    archive.record(0, 20, 10)
    archive.record(50, 10)

    made = ask(client, archive, name="Yard").json()
    run()
    done = client.get(f"{URL}{made['id']}/").json()

    assert (made["kind"], made["every_s"], made["frame_rate"], made["width"]) == ("timelapse", 5, 10, 1280)
    assert (done["state"], done["progress"], done["gap_s"]) == ("done", 1.0, 20.0)
    assert done["file_url"] == f"/media/v1/exports/{made['id']}.mp4"
    shown = [0, 50, 100, 150, 200, 250, 500, 550]
    expected = [(number, place * 100_000) for place, number in enumerate(shown)]
    assert read_numbers(video_path(Export.objects.get().pk)) == expected
    assert [path.suffix for path in exports_root().iterdir()] == [".mp4"]


def test_a_long_one_is_made_in_turns(
    archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.record(0, 60)
    monkeypatch.setattr(timelapse_job, "PART_PICTURES", 4)
    monkeypatch.setattr(timelapse_job, "TURN_S", -1.0)
    ask(client, archive)

    states = run(3)

    assert states == [TaskState.PENDING, TaskState.PENDING, TaskState.DONE]
    assert [number for number, _ in read_numbers(video_path(Export.objects.get().pk))] == [
        50 * n for n in range(12)
    ]


def test_footage_that_vanishes_meanwhile_is_missing_and_said_to_be(archive: Archive, client: Client) -> None:
    rows = archive.record(0, 30, 30)
    ask(client, archive)
    (archive.root / rows[1].path).unlink()

    run()

    assert (Export.objects.get().state, Export.objects.get().gap_s) == ("done", 30.0)


def test_nothing_readable_fails_in_words_and_leaves_nothing(archive: Archive, client: Client) -> None:
    archive.record(0, 60)
    ask(client, archive)
    Segment.objects.all().delete()

    run()

    export = Export.objects.get()
    assert (export.state, export.error_code) == ("failed", "nothing_readable")
    assert list(exports_root().iterdir()) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"every_s": 0.1}, "every_s"),
        ({"frame_rate": 0}, "frame_rate"),
        ({"width": 100_000}, "width"),
        ({"streams": []}, "streams"),
        ({"end": text(-1)}, "end"),
        ({"start": text(-40 * 86400)}, "end"),
        ({"start": text(-30 * 86400), "every_s": 60}, "every_s"),
        ({"start": text(70), "end": text(80)}, "start"),
        ({"end": "2126-01-01T00:00:00Z", "start": "2125-12-31T00:00:00Z"}, "end"),
        ({"kind": "zip"}, "every_s"),
        ({"kind": "gif"}, "kind"),
    ],
)
def test_bad_values_name_their_field(
    archive: Archive, client: Client, values: dict[str, Any], field: str
) -> None:
    archive.add_rows(0, 60)

    answer = ask(client, archive, **values)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


def test_two_streams_are_refused_and_somebody_elses_is_not_there(
    archive: Archive, client: Client, tmp_path: Path
) -> None:
    elsewhere = make_archive(tmp_path / "else", factories.make_account("Else"))

    both = [str(archive.stream.pk), str(elsewhere.stream.pk)]
    for streams in (both, [str(elsewhere.stream.pk)]):
        answer = ask(client, archive, streams=streams)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["streams"])


async def test_it_is_fetched_by_range_and_by_its_own_address_alone(
    archive: Archive, client: Client, viewer: User
) -> None:
    await sync_to_async(archive.record)(0, 10)
    made = (await sync_to_async(ask)(client, archive, every_s=1, end=text(10))).json()
    await sync_to_async(run)()
    browser = AsyncClient()
    await browser.aforce_login(viewer)

    whole = await browser.get(f"/media/v1/exports/{made['id']}.mp4")
    part = await browser.get(f"/media/v1/exports/{made['id']}.mp4", headers={"Range": "bytes=0-99"})
    as_zip = await browser.get(f"/media/v1/exports/{made['id']}.zip")

    data = await body_of(whole)
    assert (whole.status_code, whole["Content-Type"], int(whole["Content-Length"])) == (
        200, "video/mp4", len(data),
    )  # fmt: skip
    assert (part.status_code, await body_of(part)) == (206, data[:100])
    assert as_zip.status_code == 404
