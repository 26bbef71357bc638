"""F24: a volume whose disk fails is left by everybody, and comes back when it was tried."""

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.access import system_actor
from apps.core.models import Outbox
from apps.core.times import to_us
from apps.streams.models import Stream, Volume, VolumeState
from apps.streams.sinks import CaptureSink
from apps.streams.sources import WantedSources
from apps.streams.stores.folder import FolderStore
from apps.streams.volume_services import add_volume
from apps.streams.volume_states import FAILING_RESTS, check_volumes
from apps.streams.volumes import ensure_default_volume
from omma_engine.ports import NewsItem
from tests.apps.streams.conftest import add_stream
from tests.factories import make_account

pytestmark = pytest.mark.fault("F24")
EPOCH = 1 << 20


@pytest.fixture
def stream(db: Any, data_dir: Any, tmp_path: Path) -> Stream:
    """Return a stream that is recorded to the default volume, with another one beside it."""
    ensure_default_volume()
    (tmp_path / "barn").mkdir()
    add_volume(actor=system_actor(), name="barn", root=str(tmp_path / "barn"), min_free_bytes=0)
    Volume.objects.update(min_free_bytes=0)
    check_volumes("this-host")
    return add_stream(make_account(), "synthetic:yard")


def fail(stream: Stream) -> Volume:
    """Let a child say that the stream's volume fails."""
    volume = Volume.objects.get(is_default=True)
    payload = {
        "kind": "volume",
        "volume_id": str(volume.id),
        "at_us": to_us(timezone.now()),
        "detail": "I/O error",
    }
    CaptureSink().commit([NewsItem(stream.source_id, EPOCH, 1, payload)])
    volume.refresh_from_db()
    return volume


def order() -> list[str]:
    (item,) = WantedSources("this-host").desired()
    return [volume.root.name for volume in item.spec.volumes]


def rested(volume: Volume) -> None:
    since = volume.state_since
    assert since is not None
    Volume.objects.filter(id=volume.id).update(state_since=since - FAILING_RESTS - timedelta(seconds=1))


def test_all_cameras_leave_it_and_everybody_is_told(stream: Stream) -> None:
    volume = fail(stream)

    assert (volume.state, volume.state_detail) == (VolumeState.FAILING, "its disk failed: I/O error")
    assert order() == ["barn", "default"]
    told = Outbox.objects.filter(kind="system.updated", subject_id=volume.id).latest("id")
    assert told.payload["state"] == "failing"


def test_it_rests_for_a_minute_although_it_looks_well(stream: Stream) -> None:
    volume = fail(stream)

    check_volumes("this-host")

    volume.refresh_from_db()
    assert volume.state == VolumeState.FAILING


def test_it_comes_back_once_it_was_written_and_read(stream: Stream) -> None:
    volume = fail(stream)
    rested(volume)

    check_volumes("this-host")

    volume.refresh_from_db()
    assert volume.state == VolumeState.READY
    assert not list(Path(volume.root).glob(".trial-*"))


def test_it_stays_away_while_it_takes_nothing(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_store: FolderStore) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(FolderStore, "try_writing", fails)
    volume = fail(stream)
    rested(volume)

    check_volumes("this-host")

    volume.refresh_from_db()
    assert (volume.state, volume.state_detail) == (
        VolumeState.FAILING,
        "Input/output error, when it was tried again",
    )
