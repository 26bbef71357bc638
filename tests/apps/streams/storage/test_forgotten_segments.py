"""F22: a segment that was open when its volume went away is made whole when that is back."""

import fcntl
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core.times import from_us
from apps.streams.models import Gap, Segment, SegmentState, Stream
from apps.streams.storage.forgotten import close_forgotten
from apps.streams.volumes import Identity, installation_id, write_identity
from omma_engine.capture.journal import journal_path
from tests.apps.recordings.archive import Archive, make_archive
from tests.apps.streams.storage.footage import Recorded, record
from tests.engine.coded import START_US

pytestmark = [pytest.mark.django_db, pytest.mark.fault("F22")]
LATER = from_us(START_US) + timedelta(hours=1)


@pytest.fixture
def archive(tmp_path: Path, settings: Settings, db: None) -> Archive:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    archive = make_archive(tmp_path / "volume")
    Stream.objects.update(created_at=from_us(START_US))
    write_identity(archive.root, Identity(archive.volume.pk, installation_id()))
    return archive


@pytest.fixture
def recorded(archive: Archive) -> Recorded:
    """Return footage of which the last segment was never closed, and is known up to its first second only."""
    made = record(archive, is_indexed=False)
    made.news = [one for one in made.news if one["kind"] != "segment_close" or one is not made.news[-1]]
    made.commit()
    last = made.rows()[-1]
    first = last.fragments[0]
    Segment.objects.filter(pk=last.pk).update(
        state=SegmentState.OPEN,
        sha256="",
        fragments=[first],
        durable_bytes=first[2] + first[3],
        end=last.start + timedelta(seconds=1),
    )
    return made


def test_it_is_closed_with_all_that_its_file_has(recorded: Recorded) -> None:
    before = recorded.rows()[-1]

    assert close_forgotten(recorded.volume, LATER) == 1
    assert close_forgotten(recorded.volume, LATER) == 0

    row = recorded.rows()[-1]
    assert (row.state, row.end) == (SegmentState.RECOVERED, from_us(START_US + 6_000_000))
    assert row.durable_bytes > before.durable_bytes
    assert row.sha256
    assert not Gap.objects.filter(stream=recorded.stream, cause="worker").exists()


def test_one_that_somebody_may_write_is_left_alone(recorded: Recorded) -> None:
    row = recorded.rows()[-1]
    assert close_forgotten(recorded.volume, row.end + timedelta(minutes=5)) == 0

    journal = journal_path(recorded.root, recorded.stream.source_id, row.epoch)
    journal.parent.mkdir(parents=True)
    with journal.open("w") as writer:
        fcntl.flock(writer, fcntl.LOCK_SH)
        assert close_forgotten(recorded.volume, LATER) == 0


def test_one_whose_file_is_gone_stays_for_the_storage_check(recorded: Recorded) -> None:
    recorded.path(-1).unlink()

    assert close_forgotten(recorded.volume, LATER) == 0
