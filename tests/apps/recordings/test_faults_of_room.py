"""A disk that fills up, and players while footage goes: room is made in time, and what is read is whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from apps.accounts.access import system_actor
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.recordings import retention
from apps.recordings.clips import clip_of_range
from apps.recordings.exports.services import create_export
from apps.recordings.models import Export, Recording, RetentionPolicy
from apps.streams.models import Segment
from apps.streams.stores.folder import FolderStore
from apps.streams.volume_states import check_volumes
from tests.apps.recordings.archive import Archive, at, make_archive
from tests.apps.recordings.test_retention_classes import recorded
from tests.engine.playback.footage import read_numbers
from tests.faults.mounts import in_own_mounts, mount_ext4, mount_tmpfs
from tests.faults.plugin import FaultReport

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1 << 20


def fill(archive: Archive, count: int, *, size_bytes: int, seconds: int = 10) -> list[Segment]:
    """Write files of this size, one after the other, with their rows."""
    rows = archive.add_rows(0, *[seconds] * count, size_bytes=size_bytes)
    for row in rows:
        file = archive.root / row.path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"\0" * row.durable_bytes)
    return rows


def volume_in(folder: Path) -> Archive:
    archive = make_archive(folder)
    archive.volume.min_free_bytes = 0
    archive.volume.save()
    return archive


@pytest.mark.fault("F20")
def test_room_is_made_before_a_disk_is_full_and_held_footage_stays(
    tmp_path: Path, settings: Settings, fault_report: FaultReport
) -> None:
    settings.OMMA_DATA_DIR = tmp_path / "data"

    def inside() -> dict[str, Any]:
        mount_tmpfs(tmp_path / "volume", size_kb=64 * 1024)
        archive = volume_in(tmp_path / "volume")
        rows = fill(archive, 60, size_bytes=MB)
        recorded(archive, 0, 25, is_held=True)
        before = FolderStore(archive.root).room().free_bytes
        said = retention.rotate(at(600))
        left = Segment.objects.order_by("start").values_list("id", flat=True)
        gone = [row for row in rows if row.pk not in set(left)]
        return {
            "said": said,
            "before": before,
            "free": FolderStore(archive.root).room().free_bytes,
            "again": retention.rotate(at(600)),
            "held_left": all(row.pk in set(left) for row in rows[:3]),
            "gone": [rows.index(row) for row in gone],
            "files": len(list(archive.root.rglob("*.mp4"))),
        }

    connections.close_all()  # the other process opens its own
    found = in_own_mounts(inside)

    assert found["before"] < 5 * MB
    assert found["free"] >= 30 * MB  # five minutes of six megabytes a minute
    assert found["held_left"]
    assert found["gone"] == list(range(3, 3 + len(found["gone"])))  # the oldest
    assert found["files"] == 60 - len(found["gone"])
    assert (found["said"], found["again"]) == (f"{len(found['gone'])} expired", "0 expired")
    fault_report.note(f"{found['free'] // MB} MB free of 64 after {found['said']}")


@pytest.mark.fault("F21")
def test_files_make_room_where_they_run_out(
    tmp_path: Path, settings: Settings, fault_report: FaultReport
) -> None:
    settings.OMMA_DATA_DIR = tmp_path / "data"

    def inside() -> dict[str, Any]:
        mount_ext4(tmp_path / "volume", size_mb=32, files=512)
        archive = volume_in(tmp_path / "volume")
        fill(archive, 460, size_bytes=1000, seconds=1)
        before = FolderStore(archive.root).room().free_files
        check_volumes()
        archive.volume.refresh_from_db()
        state = archive.volume.state
        said = retention.rotate(at(460))
        archive.volume.refresh_from_db()
        return {
            "before": before,
            "states": (state, archive.volume.state),
            "free": FolderStore(archive.root).room().free_files,
            "said": said,
        }

    connections.close_all()  # the other process opens its own
    found = in_own_mounts(inside)

    assert found["before"] < 64
    assert found["states"] == ("full", "ready")
    assert found["free"] >= 128
    fault_report.note(f"{found['said']}, {found['free']} files can be made again")


@pytest.mark.fault("F29")
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_exports_and_fifty_players_against_retention(
    tmp_path: Path, settings: Settings, fault_report: FaultReport
) -> None:
    from apps.core.jobs import run_task

    settings.OMMA_DATA_DIR = tmp_path / "data"
    archive = make_archive(tmp_path / "volume")
    archive.record(0, *[2] * 40)
    RetentionPolicy.objects.create(account=archive.account, max_age_hours=1)
    held = recorded(archive, 60, 70, is_held=True)

    def export(number: int) -> str:
        try:
            made = create_export(
                actor=system_actor(), streams=[archive.stream], start=at(0), end=at(20 + 2 * number)
            )
        except (InvalidInputError, NotVisibleError):
            return "nothing left"
        run_task(made.task_id)  # type: ignore[arg-type]  # a new export has one
        return Export.objects.get(pk=made.pk).state

    works: list[Callable[[], object]] = [lambda n=n: export(n) for n in range(20)]  # type: ignore[misc]
    works += [lambda n=n: _play(archive, n) for n in range(50)]  # type: ignore[misc]
    for number in range(8):
        moment = at(3600 + 10 * number)
        works.insert(9 * number, lambda moment=moment: retention.run(moment))  # type: ignore[misc]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(_closing, works))

    plays = [one for one in found if isinstance(one, bool)]
    assert len(plays) == 50
    assert all(plays)
    states = {one.state for one in Export.objects.all()}
    assert states <= {"done", "failed"}
    assert {one.error_code for one in Export.objects.filter(state="failed")} <= {"footage_gone"}
    assert Recording.objects.filter(pk=held.pk).exists()
    retention.run(at(4 * 3600) + timedelta(seconds=1))
    left = sum(path.stat().st_size for path in archive.root.rglob("*.mp4"))
    assert left <= 6 * max(Segment.objects.values_list("durable_bytes", flat=True))
    done = Export.objects.filter(state="done").count()
    fault_report.note(f"50 players whole, {done} of 20 exports done, the rest failed in words")


def _play(archive: Archive, number: int) -> bool:
    """Play twenty seconds; tell whether what came is whole, or plainly gone."""
    start = number % 30 * 2
    try:
        built = clip_of_range(archive.stream.pk, at(start), at(start + 20))
    except NotVisibleError:
        return True
    numbers = [number for number, _ in read_numbers(built.clip.path)]
    return numbers == sorted(numbers) and len(numbers) == len(set(numbers)) > 0


def _closing(work: Callable[[], object]) -> object:
    try:
        return work()
    finally:
        connection.close()
