"""Exports: several streams and one range become a zip that proves itself, or nothing at all."""

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.utils import timezone

from apps.accounts.access import Actor
from apps.accounts.actors import actor_of_user
from apps.accounts.models import User
from apps.core import jobs, representations
from apps.core.exceptions import ConflictError, ForbiddenError, InvalidInputError, NotVisibleError
from apps.core.models import AuditEntry, Outbox, Task, TaskState
from apps.recordings.exports import building, expiry, job, places, services
from apps.recordings.exports.services import create_export, delete_export
from apps.recordings.models import Export, ExportState
from apps.streams.models import Gap, Segment, SegmentState, Source, Stream
from omma_engine.export.archive import pack
from omma_engine.export.verifying import export_problems
from omma_engine.ids import uuid7
from omma_engine.playback.clip import build_clip
from omma_engine.record.recover import file_sha256
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive
from tests.engine.playback.footage import read_numbers

pytestmark = pytest.mark.django_db
URL = "/api/v1/exports/"


@pytest.fixture
def viewer(archive: Archive) -> User:
    return factories.make_member(archive.account, "viewer").user


@pytest.fixture
def actor(viewer: User) -> Actor:
    return actor_of_user(viewer)


@pytest.fixture
def client(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


def another(archive: Archive, name: str = "") -> Archive:
    camera = factories.make_camera(archive.account, name)
    source = Source.objects.create(account=archive.account, camera=camera)
    stream = Stream.objects.create(account=archive.account, camera=camera, source=source)
    return Archive(archive.account, stream, archive.volume)


def record(archive: Archive, start_s: float, *lengths_s: int) -> list[Segment]:
    """Record files and note their hashes, as a recorder does."""
    rows = archive.record(start_s, *lengths_s)
    for row in rows:
        row.sha256 = file_sha256(archive.root / row.path, row.durable_bytes)
        row.save(update_fields=["sha256"])
    return rows


def export(actor: Actor, *archives: Archive, until_s: float = 10, name: str = "") -> Export:
    made = create_export(
        actor=actor, streams=[one.stream for one in archives], start=at(0), end=at(until_s), name=name,
        now=at(86400),
    )  # fmt: skip
    run(made)
    return made


def run(made: Export) -> None:
    """Run the job until it is over."""
    assert made.task is not None
    for _ in range(20):
        jobs.run_task(made.task.pk)
        made.task.refresh_from_db()
        if made.task.state != TaskState.PENDING:
            break
    made.refresh_from_db()


def manifest_of(made: Export) -> dict[str, Any]:
    with zipfile.ZipFile(places.zip_path(made.pk)) as archive:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


def names_left() -> set[str]:
    root = places.exports_root()
    return {one.name for one in root.iterdir()} if root.is_dir() else set()


def rot(path: Path, offset: int = 2500) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def test_several_cameras_become_one_zip_with_a_manifest(
    archive: Archive, actor: Actor, tmp_path: Path
) -> None:
    other = another(archive, "Tür: Ost/West")
    rows = record(archive, 0, 5, 5)
    record(other, 2, 5)

    made = export(actor, archive, other, name="Evidence")

    manifest = manifest_of(made)
    with zipfile.ZipFile(places.zip_path(made.pk)) as zipped:
        assert zipped.testzip() is None
        zipped.extractall(tmp_path / "out")
        assert {one.compress_type for one in zipped.infolist()} == {zipfile.ZIP_STORED}
    first, second = manifest["files"]
    assert (made.state, made.file_count, made.damaged_count, made.gap_s) == (ExportState.DONE, 2, 0, 5.0)
    assert (manifest["format"], manifest["name"], manifest["created_by"]) == (
        "omma-export-1", "Evidence", actor.name,
    )  # fmt: skip
    assert (first["start"], first["end"]) == ("2026-11-20T12:00:00.000000Z", "2026-11-20T12:00:10.000000Z")
    assert (first["clock"], first["error_us"], first["is_intact"]) == ("arrival", 1000, True)
    assert [(one["segment"], one["sha256"], one["recorded_sha256"]) for one in first["segments"]] == [
        (str(row.pk), row.sha256, row.sha256) for row in rows
    ]
    assert second["name"].startswith("Tür_ Ost_West ")
    assert read_numbers(tmp_path / "out" / first["name"]) == [(n, n * 100_000) for n in range(100)]
    assert len(read_numbers(tmp_path / "out" / second["name"])) == 50
    assert [(gap["start"][17:19], gap["end"][17:19], gap["cause"]) for gap in manifest["gaps"]] == [
        ("00", "02", "unexplained"), ("07", "10", "unexplained"),
    ]  # fmt: skip
    assert names_left() == {f"{made.pk}.zip"}
    assert export_problems(places.zip_path(made.pk)) == []


def test_holes_and_changes_of_kind_begin_a_new_file_and_holes_have_their_cause(
    archive: Archive, actor: Actor
) -> None:
    record(archive, 0, 2)
    changed = record(archive, 2, 2)[0]
    record(archive, 6, 2)
    Segment.objects.filter(id=changed.pk).update(width=320)
    Gap.objects.create(
        account_id=archive.account.pk, camera_id=archive.stream.camera_id, stream=archive.stream,
        start=at(4), end=at(6), cause="network", detail="no route",
    )  # fmt: skip

    manifest = manifest_of(export(actor, archive, until_s=8))

    assert [(one["start"][17:19], one["end"][17:19], one["width"]) for one in manifest["files"]] == [
        ("00", "02", 160), ("02", "04", 320), ("06", "08", 160),
    ]  # fmt: skip
    assert [(one["cause"], one["detail"]) for one in manifest["gaps"]] == [("network", "no route")]


def test_a_rotten_segment_is_a_file_of_its_own_and_its_neighbours_are_intact(
    archive: Archive, actor: Actor
) -> None:
    rows = record(archive, 0, 2, 2, 2)
    rot(archive.root / rows[1].path)

    made = export(actor, archive, until_s=6)

    files = manifest_of(made)["files"]
    assert [one["is_intact"] for one in files] == [True, False, True]
    assert files[1]["segments"][0]["sha256"] != files[1]["segments"][0]["recorded_sha256"]
    assert (made.state, made.damaged_count) == (ExportState.DONE, 1)
    assert export_problems(places.zip_path(made.pk)) == []


def test_a_segment_without_readable_video_is_left_out_and_explained(archive: Archive, actor: Actor) -> None:
    rows = record(archive, 0, 2, 2, 2)
    path = archive.root / rows[1].path
    path.write_bytes(b"\x00" * path.stat().st_size)

    made = export(actor, archive, until_s=6)

    manifest = manifest_of(made)
    assert [one["start"][17:19] for one in manifest["files"]] == ["00", "04"]
    assert [(one["cause"], one["detail"]) for one in manifest["gaps"]] == [
        ("disk", f"cannot be read: {rows[1].path}")
    ]
    assert export_problems(places.zip_path(made.pk)) == []


def failed(made: Export) -> str:
    """Return why an export failed, after making sure that nothing of it is left."""
    assert made.task is not None
    assert (made.state, made.task.state, names_left()) == (ExportState.FAILED, TaskState.FAILED, set())
    assert made.error == made.task.error
    return made.error_code


def test_vanished_and_truncated_files_fail_the_export_in_words(archive: Archive, actor: Actor) -> None:
    rows = record(archive, 0, 2, 2)
    path = archive.root / rows[1].path
    whole = path.read_bytes()

    path.write_bytes(whole[: rows[1].durable_bytes - 40])
    truncated = export(actor, archive, until_s=4)
    path.unlink()
    vanished = export(actor, archive, until_s=4)

    assert [failed(truncated), failed(vanished)] == ["footage_gone", "footage_gone"]
    assert vanished.error == "Footage of this range went away while it was exported."


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the clock take a minute, so that a turn makes two files."""
    minutes = count()
    monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: next(minutes) * 60.0))


def begun(archive: Archive, actor: Actor) -> tuple[Export, Task]:
    """Return an export of three files whose first turn is over."""
    for start_s in (0, 4, 8):
        record(archive, start_s, 2)
    made = create_export(actor=actor, streams=[archive.stream], start=at(0), end=at(10), now=at(86400))
    assert made.task is not None
    jobs.run_task(made.task.pk)
    made.task.refresh_from_db()
    return made, made.task


@pytest.mark.usefixtures("slow")
def test_footage_that_retention_takes_between_turns_is_noticed(archive: Archive, actor: Actor) -> None:
    made, task = begun(archive, actor)
    assert task.state == TaskState.PENDING

    Segment.objects.filter(start=at(8)).update(state=SegmentState.GARBAGE)
    run(made)

    assert failed(made) == "footage_gone"


@pytest.mark.usefixtures("slow")
def test_a_long_export_takes_several_turns_and_makes_each_file_once(
    archive: Archive, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, task = begun(archive, actor)
    builds = Mock(wraps=build_clip)
    monkeypatch.setattr(building, "build_clip", builds)

    first = len(list(places.work_folder(made.pk).glob("*.mp4")))
    assert (task.state, task.attempts, first) == (TaskState.PENDING, 0, 2)
    assert 0.5 < task.progress < 0.7
    assert not places.zip_path(made.pk).exists()
    monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: 0.0))
    run(made)

    assert (made.state, made.file_count, builds.call_count) == (ExportState.DONE, 3, 1)
    assert export_problems(places.zip_path(made.pk)) == []


def test_too_little_room_is_refused_before_anything_is_made(
    archive: Archive, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(archive, 0, 2)
    monkeypatch.setattr(job, "LEFT_FREE_BYTES", 1 << 60)

    assert failed(export(actor, archive, until_s=2)) == "disk_full"


@contextlib.contextmanager
def small_files(limit: int) -> Iterator[None]:
    """Let no file of this process grow beyond some bytes: what a full disk does to a write.

    Only around the one call: the test runner's own output may go to a file, and that may be long already.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("hole_s", [0, 1])  # the disk fills up in one long file, or only in their zip
def test_a_disk_that_fills_up_on_the_way_leaves_nothing(archive: Archive, actor: Actor, hole_s: int) -> None:
    for number in range(6):
        record(archive, number * (2 + hole_s), 2)
    limit = 15_000

    with small_files(limit):
        made = export(actor, archive, until_s=20)

    assert failed(made) == "disk_full"
    assert max(row.durable_bytes for row in Segment.objects.all()) < limit / 2


def test_a_failed_export_says_so_and_is_not_tried_again(archive: Archive, actor: Actor) -> None:
    rows = record(archive, 0, 2)
    (archive.root / rows[0].path).unlink()
    made = export(actor, archive, until_s=2)

    run(made)

    assert failed(made) == "footage_gone"
    kinds = [row.kind for row in Outbox.objects.filter(subject_kind="export").order_by("id")]
    assert kinds == ["export.created", "export.updated", "export.updated"]


def test_deleting_while_it_is_made_leaves_nothing(
    archive: Archive, actor: Actor, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    record(archive, 0, 2)

    def delete_first(*given: Any) -> int:
        delete_export(actor=actor, export=Export.objects.get())
        return pack(*given)

    monkeypatch.setattr(job, "pack", delete_first)
    made = create_export(actor=actor, streams=[archive.stream], start=at(0), end=at(2), now=at(86400))
    assert made.task is not None
    jobs.run_task(made.task.pk)

    assert (Export.objects.count(), names_left()) == (0, set())


BAD = (
    ({"until_s": 0}, "end"),
    ({"until_s": -5}, "end"),
    ({"until_s": 25 * 3600}, "end"),
    ({"until_s": 100_000}, "end"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\0b"}, "name"),
)


def test_bad_ranges_and_names_name_their_field(archive: Archive, actor: Actor) -> None:
    for values, field in BAD:
        with pytest.raises(InvalidInputError) as caught:
            export(actor, archive, **cast("Any", values))
        assert caught.value.field == field
    with pytest.raises(InvalidInputError) as caught:
        export(actor, archive)
    assert (caught.value.field, Export.objects.count()) == ("start", 0)


def test_too_much_and_too_many_are_refused(
    archive: Archive, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(archive, 0, 2)
    monkeypatch.setattr(services, "MAX_UNFINISHED", 1)
    wanted: dict[str, Any] = {"streams": [archive.stream], "start": at(0), "end": at(2), "now": at(60)}
    create_export(actor=actor, **wanted)

    with pytest.raises(ConflictError, match="1 exports are being made"):
        create_export(actor=actor, **wanted)
    monkeypatch.setattr(services, "MAX_BYTES", 1000)
    with pytest.raises(InvalidInputError, match="at most"):
        create_export(actor=actor, **wanted)


def test_it_takes_the_right_on_all_cameras(archive: Archive, actor: Actor) -> None:
    other = another(archive)
    record(archive, 0, 2)
    record(other, 0, 2)
    limited = actor_of_user(
        factories.make_limited_member(archive.account, "viewer", [archive.stream.camera]).user
    )

    with pytest.raises(NotVisibleError):
        export(limited, archive, other, until_s=2)
    both = export(actor, archive, other, until_s=2)
    one = export(limited, archive, until_s=2)
    colleague = actor_of_user(factories.make_member(archive.account, "viewer").user)

    assert set(representations.load("export", [both.pk, one.pk], limited)) == {one.pk}
    with pytest.raises(NotVisibleError):
        delete_export(actor=limited, export=both)
    with pytest.raises(ForbiddenError):
        delete_export(actor=colleague, export=one)
    delete_export(actor=limited, export=one)
    assert AuditEntry.objects.filter(action="export.delete").count() == 1


def test_the_api_creates_lists_shows_and_deletes(
    archive: Archive, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    record(archive, 0, 2)
    body = {
        "streams": [str(archive.stream.pk)], "start": "2026-11-20T12:00:00Z", "end": "2026-11-20T12:00:02Z",
    }  # fmt: skip

    created = client.post(URL, body, "application/json")
    assert created.status_code == 201, created.content
    made = Export.objects.get()
    waiting = client.get(f"{URL}{made.pk}/").json()
    run(made)
    shown = client.get(URL).json()["results"][0]

    assert (waiting["state"], waiting["file_url"], waiting["progress"]) == ("pending", None, 0.0)
    assert (shown["state"], shown["file_url"], shown["progress"]) == (
        "done", f"/media/v1/exports/{made.pk}.zip", 1.0,
    )  # fmt: skip
    assert shown["size_bytes"] == places.zip_path(made.pk).stat().st_size
    assert client.get(f"{URL}?state=failed").json()["count"] == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"{URL}{made.pk}/").status_code == 204
    assert names_left() == set()


def test_the_api_names_what_is_wrong(archive: Archive, client: Client) -> None:
    stream, start, end = str(archive.stream.pk), "2026-11-20T12:00:00Z", "2026-11-20T12:00:02Z"
    bad: list[tuple[dict[str, Any], str]] = [
        ({"streams": [], "start": start, "end": end}, "streams"),
        ({"streams": [str(uuid7())], "start": start, "end": end}, "streams"),
        ({"streams": [stream], "end": end}, "start"),
        ({"streams": [stream], "start": end, "end": start}, "end"),
        ({"streams": [stream], "start": start, "end": end}, "start"),
        ({"streams": [stream], "start": start, "end": "2099-01-01T00:00:00Z"}, "end"),
    ]

    for body, field in bad:
        answer = client.post(URL, body, "application/json")
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field]), body
    assert Task.objects.filter(kind="export").count() == 0


def test_exports_go_after_a_week_and_lost_ones_are_said_to_have_failed(
    archive: Archive, actor: Actor
) -> None:
    record(archive, 0, 2)
    old, lost = export(actor, archive, until_s=2), export(actor, archive, until_s=2)
    Export.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    Export.objects.filter(pk=lost.pk).update(state=ExportState.RUNNING)
    Task.objects.filter(kind="export", parameters__export_id=str(lost.pk)).update(
        state=TaskState.FAILED, error="its worker ended"
    )
    stray = places.exports_root() / f"{uuid7()}.part"
    stray.write_bytes(b"left over")
    os.utime(stray, (0, 0))

    assert expiry.clean() == "1 expired, 1 failed, 1 left-overs deleted"

    lost.refresh_from_db()
    assert (lost.state, lost.error) == (ExportState.FAILED, "its worker ended")
    assert names_left() == set()


@pytest.mark.django_db(transaction=True)
async def test_the_zip_is_downloaded_in_parts_and_only_when_it_is_whole(
    tmp_path: Path, settings: Any
) -> None:

    def prepare() -> tuple[User, Export, Export]:
        settings.OMMA_DATA_DIR = tmp_path / "data"
        archive = make_archive(tmp_path / "volume")
        user = factories.make_member(archive.account, "viewer").user
        record(archive, 0, 2)
        made = export(actor_of_user(user), archive, until_s=2, name="Evidence")
        waiting = create_export(
            actor=actor_of_user(user), streams=[archive.stream], start=at(0), end=at(2), now=at(60)
        )
        places.zip_path(waiting.pk).write_bytes(b"half")
        return user, made, waiting

    user, made, waiting = await sync_to_async(prepare)()
    client = AsyncClient()
    await client.aforce_login(user)
    whole = places.zip_path(made.pk).read_bytes()
    address = f"/media/v1/exports/{made.pk}.zip"

    answer = await client.get(address, headers={"Range": "bytes=100-199"})
    body = cast("AsyncIterator[bytes]", cast("StreamingHttpResponse", answer).streaming_content)
    assert (answer.status_code, b"".join([part async for part in body])) == (206, whole[100:200])
    assert answer["Content-Disposition"] == 'attachment; filename="Evidence.zip"'
    assert (await client.head(address))["Content-Length"] == str(len(whole))
    assert (await client.get(f"/media/v1/exports/{waiting.pk}.zip")).status_code == 404
    places.zip_path(made.pk).unlink()
    gone = await client.get(address)
    assert (gone.status_code, gone.json()["error"]["message"]) == (404, "This export's file is gone.")
    assert (await AsyncClient().get(address)).status_code == 401


def test_verify_works_without_a_database_and_names_what_differs(
    archive: Archive, actor: Actor, tmp_path: Path
) -> None:
    record(archive, 0, 2)
    made = export(actor, archive, until_s=2)
    path = places.zip_path(made.pk)
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "OMMA_DATA_DIR": str(tmp_path / "d"),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "export", "verify"]

    good = subprocess.run([*command, str(path)], env=environment, capture_output=True, text=True, timeout=60)
    assert (good.returncode, good.stdout) == (0, "everything is as the manifest says\n"), good.stderr

    data = bytearray(path.read_bytes())
    data[data.index(b"mdat") + 50] ^= 1
    (tmp_path / "bad.zip").write_bytes(data)
    out = io.StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("export", "verify", str(tmp_path / "bad.zip"), stdout=out)
    assert "its bytes are not those that were written" in out.getvalue()


def test_the_admin_lists_exports_and_deletes_them_with_their_files(
    archive: Archive, actor: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    record(archive, 0, 2)
    made = export(actor, archive, until_s=2, name="Evidence")
    client = Client()
    client.force_login(factories.make_superuser())
    address = "/admin/recordings/export/"

    assert "Evidence" in client.get(address).content.decode()
    assert client.get(f"{address}{made.pk}/change/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {"action": "delete_rows", "_selected_action": [str(made.pk)]})

    assert (Export.objects.count(), names_left()) == (0, set())
