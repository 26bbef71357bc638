"""Faults of storage: a lost or old database, vanished files and rotten bytes delete nothing and are found."""

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.cameras.models import Camera
from apps.core.models import Outbox
from apps.core.times import from_us
from apps.recordings import retention
from apps.recordings.models import RetentionPolicy
from apps.streams.models import Installation, Segment, Source, Stream, Volume, VolumeState
from apps.streams.storage.scrub import scrub
from apps.streams.volume_states import check_volumes
from apps.streams.volumes import Identity, ensure_default_volume, installation_id, write_identity
from tests import factories
from tests.apps.recordings.archive import NOON, Archive, make_archive
from tests.apps.streams.storage.footage import Recorded, flip, record
from tests.apps.streams.storage.test_storage_check import check
from tests.engine.coded import START_US

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(tmp_path: Path, settings: Settings, db: None) -> Archive:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    archive = make_archive(tmp_path / "volume")
    Stream.objects.update(created_at=from_us(START_US))
    write_identity(archive.root, Identity(archive.volume.pk, installation_id()))
    return archive


def files(root: Path) -> dict[str, bytes]:
    return {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*.mp4")}


def forget_everything() -> None:
    """Do to the database what its loss does."""
    Segment.objects.all().delete()
    Camera.objects.all().delete()
    Volume.objects.all().delete()
    Installation.objects.all().delete()


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("storage", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.fault("F27")
def test_an_empty_database_deletes_nothing_and_adopts_all_of_it(archive: Archive) -> None:
    recorded = record(archive)
    before, ids = files(archive.root), sorted(str(row.pk) for row in recorded.rows())
    forget_everything()
    factories.make_account()

    volume = ensure_default_volume(archive.root)
    check_volumes()
    RetentionPolicy.objects.create(account=factories.make_account(), max_age_hours=1)
    retention.run(NOON)
    retention.rotate(NOON)
    volume.refresh_from_db()
    assert (volume.state, files(archive.root)) == (VolumeState.FOREIGN, before)
    with pytest.raises(SystemExit):
        told("check")

    assert "ready; 1 cameras added" in told("adopt", volume.name, "--cameras")
    code, report = check()
    assert (code, report["differences"]["orphan"]["count"]) == (1, 3)
    code, report = check("--fix")
    assert (code, report["differences"]["orphan"]["fixed"]) == (0, 3)

    assert sorted(str(pk) for pk in Segment.objects.values_list("pk", flat=True)) == ids
    assert files(archive.root) == before
    camera = Camera.objects.get()
    assert (camera.is_enabled, Source.objects.get().is_wanted) == (False, False)
    assert camera.name.startswith("Recovered")


@pytest.mark.fault("F27")
def test_yesterdays_database_indexes_what_came_since(archive: Archive) -> None:
    record(archive)
    later = record(archive, start_s=60, epoch=8 << 20, is_indexed=False)
    before = files(archive.root)

    assert retention.run(from_us(START_US + 120_000_000)) == "0 expired, 0 files deleted"
    code, report = check("--fix")

    assert (code, report["differences"]["orphan"]["fixed"]) == (0, 3)
    assert len(later.rows()) == 6
    assert files(archive.root) == before


@pytest.mark.fault("F27")
def test_a_third_of_the_files_missing_is_shown_before_it_is_believed(archive: Archive) -> None:
    recorded = record(archive)
    recorded.path(1).unlink()

    code, report = check()
    assert (code, report["differences"]["missing"]["count"], len(recorded.rows())) == (1, 1, 3)
    check("--fix")

    assert len(recorded.rows()) == 2
    assert len(files(archive.root)) == 2


@pytest.mark.fault("F22", "F27")
def test_two_swapped_volumes_are_foreign_and_lose_nothing(archive: Archive, tmp_path: Path) -> None:
    other = make_archive(tmp_path / "other", archive.account)
    record(archive)
    record(other)
    archive.root.rename(tmp_path / "a")
    other.root.rename(archive.root)
    (tmp_path / "a").rename(other.root)
    before = {**files(archive.root), **files(other.root)}

    assert check_volumes() == 2
    RetentionPolicy.objects.create(account=archive.account, max_age_hours=1)
    retention.run(NOON)

    assert set(Volume.objects.values_list("state", flat=True)) == {"foreign"}
    assert {**files(archive.root), **files(other.root)} == before
    assert Outbox.objects.filter(kind="system.updated", subject_kind="volume").count() == 2


@pytest.mark.fault("F28")
def test_a_rotten_byte_is_found_by_the_scrub_and_by_no_other_segment(archive: Archive) -> None:
    recorded = record(archive)
    victim = recorded.rows()[1]
    flip(recorded.root / victim.path, victim.durable_bytes // 2)

    assert scrub() == "3 files read, 1 damaged"

    assert [row.is_damaged for row in recorded.rows()] == [False, True, False]
    assert Outbox.objects.get(kind="system.updated").payload["damaged"] == victim.path
    assert scrub() == "2 files read, 0 damaged"
    archive.volume.refresh_from_db()
    assert archive.volume.scrubbed_at is not None


@pytest.mark.fault("F28")
def test_a_scrub_goes_on_where_the_last_one_ended(archive: Archive) -> None:
    record(archive)

    reads = [scrub(bytes_a_run=1) for _ in range(4)]

    assert [one.split()[0] for one in reads] == ["1", "1", "1", "0"]
    archive.volume.refresh_from_db()
    assert archive.volume.scrubbed_to is None


def test_a_volume_that_is_away_is_not_scrubbed(archive: Archive) -> None:
    recorded: Recorded = record(archive)
    shutil.move(archive.root / "omma-volume.json", archive.root / "away")

    assert scrub() == "0 files read, 0 damaged"

    assert not any(row.is_damaged for row in recorded.rows())


def test_the_volumes_are_listed_with_their_state(archive: Archive) -> None:
    (archive.root / "omma-volume.json").unlink()

    assert "recording, missing (there is no identity file" in told("list")
    with pytest.raises(CommandError, match="no absolute path"):
        told("adopt", "nonsense")
