"""The archive tier: footage moves, one copy can be read at every moment, and nothing is counted twice."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection, connections

from apps.core.times import to_us
from apps.recordings import archiving, retention
from apps.recordings.clips import clip_of_range
from apps.recordings.footage import open_footage
from apps.recordings.models import RetentionPolicy
from apps.streams.models import Segment, SegmentState, Transfer, TransferState, Volume
from apps.streams.selectors import used_bytes_by_volume
from apps.streams.storage.check import CheckOptions, check_storage
from apps.streams.volumes import Identity, installation_id, write_identity
from omma_engine.ids import uuid7
from omma_engine.record.recover import file_sha256
from tests.apps.recordings.archive import Archive, at

HOUR = 3600
STEPS = ("noted", "copied", "verified", "switched", "deleted")


class Killed(BaseException):
    """Stands for a process that ends here."""


@pytest.fixture
def attic(archive: Archive, tmp_path: Path) -> Volume:
    return make_attic(tmp_path)


def make_attic(tmp_path: Path) -> Volume:
    root = tmp_path / "attic"
    root.mkdir()
    volume = Volume.objects.create(id=uuid7(), name="attic", root=str(root), tier="archive", min_free_bytes=0)
    write_identity(root, Identity(volume.id, installation_id()))
    return volume


def hashed(archive: Archive, rows: list[Segment]) -> list[Segment]:
    for row in rows:
        row.sha256 = file_sha256(archive.root / row.path, row.durable_bytes)
        row.save()
    return rows


def files(*volumes: Volume) -> list[list[str]]:
    return [sorted(path.name for path in Path(one.root).rglob("*.mp4")) for one in volumes]


def is_readable(row: Segment) -> bool:
    found = Segment.objects.select_related("volume").get(pk=row.pk)
    descriptor = open_footage(found.pk, found.volume, found.path)
    try:
        return len(os.pread(descriptor, found.durable_bytes, 0)) == found.durable_bytes
    finally:
        os.close(descriptor)


def archive_after(archive: Archive, hours: int = 1, **fields: object) -> None:
    RetentionPolicy.objects.create(account=archive.account, archive_after_hours=hours, **fields)


def test_footage_that_is_due_moves_and_plays_on(archive: Archive, attic: Volume) -> None:
    old = hashed(archive, archive.record(0, 2, 2))
    young = archive.record(2 * HOUR, 2)
    archive_after(archive)
    before = clip_of_range(archive.stream.pk, at(0), at(4)).clip

    assert archiving.run(at(2 * HOUR)) == "2 moved, 0 settled"

    assert files(archive.volume, attic) == [[young[0].path], sorted(row.path for row in old)]
    assert [row.volume_id for row in Segment.objects.order_by("start")] == [
        attic.pk,
        attic.pk,
        archive.volume.pk,
    ]
    before.path.unlink()
    after = clip_of_range(archive.stream.pk, at(0), at(4)).clip
    assert after.key == before.key
    assert not Transfer.objects.exists()
    assert archiving.run(at(2 * HOUR)) == "0 moved, 0 settled"


def test_without_an_archive_or_a_policy_nothing_moves(archive: Archive) -> None:
    archive.record(0, 2)
    assert archiving.run(at(HOUR * 50)) == "0 moved, 0 settled"
    archive_after(archive)
    assert archiving.run(at(HOUR * 50)) == "0 moved, 0 settled"


def test_a_reader_that_looked_the_file_up_before_still_finds_it(archive: Archive, attic: Volume) -> None:
    (row,) = hashed(archive, archive.record(0, 2))

    archiving.move(row.pk, attic)

    descriptor = open_footage(row.pk, archive.volume, row.path)
    assert os.fstat(descriptor).st_size == row.durable_bytes
    os.close(descriptor)


def test_retention_deletes_from_the_archive_too(archive: Archive, attic: Volume) -> None:
    hashed(archive, archive.record(0, 2))
    archive_after(archive, max_age_hours=24)
    archiving.run(at(2 * HOUR))

    assert retention.run(at(26 * HOUR)) == "1 expired, 1 files deleted"

    assert files(archive.volume, attic) == [[], []]
    assert not Segment.objects.exists()


def test_a_rotten_file_stays_and_is_marked(archive: Archive, attic: Volume) -> None:
    (row,) = hashed(archive, archive.record(0, 2))
    path = archive.root / row.path
    data = bytearray(path.read_bytes())
    data[row.durable_bytes // 2] ^= 1
    path.write_bytes(data)

    assert not archiving.move(row.pk, attic)

    row.refresh_from_db()
    assert (row.is_damaged, row.volume_id) == (True, archive.volume.pk)
    assert files(archive.volume, attic) == [[row.path], []]
    assert not Transfer.objects.exists()


def test_a_copy_that_is_not_what_was_written_is_not_believed(
    archive: Archive, attic: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = hashed(archive, archive.record(0, 2))
    from apps.streams.stores.folder import FolderStore

    take = FolderStore.take

    def rot(store: FolderStore, file: Path, path: str, size: int) -> None:
        take(store, file, path, size)
        copy = Path(attic.root) / path
        copy.write_bytes(b"\0" * size)

    monkeypatch.setattr(FolderStore, "take", rot)

    assert not archiving.move(row.pk, attic)

    assert Segment.objects.get().volume_id == archive.volume.pk
    assert files(archive.volume, attic) == [[row.path], []]
    assert is_readable(row)


def test_an_archive_without_room_or_away_moves_nothing(archive: Archive, attic: Volume) -> None:
    hashed(archive, archive.record(0, 2))
    archive_after(archive)
    (Path(attic.root) / "omma-volume.json").unlink()

    assert archiving.run(at(2 * HOUR)) == "0 moved, 0 settled"

    assert files(attic) == [[]]


@pytest.mark.fault("F30")
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_leaves_one_copy_and_is_made_good(
    archive: Archive, attic: Volume, step: str
) -> None:
    (row,) = hashed(archive, archive.record(0, 2))

    with pytest.raises(Killed):
        archiving.move(row.pk, attic, at_step=dying_at(step))

    assert is_readable(row)
    assert sum(used_bytes_by_volume().values()) == row.durable_bytes
    assert archiving.settle_transfers() == 1
    assert files(archive.volume, attic) == [[], [row.path]]
    assert Segment.objects.get().volume_id == attic.pk
    assert is_readable(row)
    assert not Transfer.objects.exists()


def dying_at(step: str) -> Callable[[str], None]:
    def at_step(name: str) -> None:
        if name == step:
            raise Killed

    return at_step


@pytest.mark.fault("F30")
def test_footage_that_retention_takes_meanwhile_leaves_no_copy(archive: Archive, attic: Volume) -> None:
    (row,) = hashed(archive, archive.record(0, 2))
    with pytest.raises(Killed):
        archiving.move(row.pk, attic, at_step=dying_at("verified"))
    Segment.objects.update(state=SegmentState.GARBAGE)

    assert archiving.settle_transfers() == 1
    retention.run(at(HOUR))

    assert files(archive.volume, attic) == [[], []]
    assert not Segment.objects.exists()


@pytest.mark.fault("F30")
def test_a_switched_segment_whose_old_file_cannot_be_deleted_is_not_forgotten(
    archive: Archive, attic: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = hashed(archive, archive.record(0, 2))
    from apps.streams.stores.folder import FolderStore

    def refuse(store: FolderStore, path: str) -> None:
        raise PermissionError(path)

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "delete", refuse)
        assert archiving.move(row.pk, attic)

    assert Transfer.objects.get().state == TransferState.SWITCHED
    archiving.settle_transfers()
    assert files(archive.volume, attic) == [[], [row.path]]


@pytest.mark.fault("F30")
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_a_step_loses_nothing(archive: Archive, tmp_path: Path, step: str) -> None:
    attic = make_attic(tmp_path)
    rows = hashed(archive, archive.record(0, *[1] * 20))

    for row in rows:
        kill_while_moving(row.pk, attic, step)

        assert is_readable(row)
        assert sum(used_bytes_by_volume().values()) == sum(one.durable_bytes for one in rows)
        archiving.settle_transfers()
        assert is_readable(row)

    assert files(archive.volume, attic) == [[], sorted(row.path for row in rows)]
    assert not Transfer.objects.exists()
    assert list(Path(attic.root).rglob("*.part")) == []


def kill_while_moving(segment_id: UUID, attic: Volume, step: str) -> None:
    """Move in a process of its own that is killed after a step."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            archiving.move(
                segment_id,
                attic,
                at_step=lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None,
            )
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    connection.ensure_connection()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.fault("F29")
def test_what_moves_while_it_is_read_is_read_whole(archive: Archive, attic: Volume) -> None:
    rows = hashed(archive, archive.record(0, 2, 2, 2))

    for row in rows:
        archiving.move(row.pk, attic)
        clip = clip_of_range(archive.stream.pk, at(0), at(6))
        assert clip.selection.end_us - clip.selection.start_us == 6_000_000
        clip.clip.path.unlink()
    assert clip.selection.start_us == to_us(at(0))


def test_a_storage_check_of_both_volumes_agrees_after_a_move(archive: Archive, attic: Volume) -> None:
    rows = hashed(archive, archive.record(0, 2, 2))
    archiving.move(rows[0].pk, attic)

    reports = check_storage([archive.volume, attic], CheckOptions(with_hashes=True))

    assert [report.count(kind) for report in reports for kind in report.tallies] == []
