"""The loop that grows recordings: it works while it holds the lock, and stops when told."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core import own_connections
from apps.core.advisory_locks import RECORDINGS, try_lock
from apps.recordings import growing_loop
from apps.recordings.growing import Cause, Sighting, open_or_extend
from apps.recordings.models import CauseKind, Recording, RecordingState
from tests.apps.recordings.archive import at, make_archive

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return condition()


def test_loop_closes_recordings_once_it_has_the_lock(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(growing_loop, "PERIOD_S", 0.05)
    archive = make_archive(tmp_path / "volume")
    archive.add_rows(0, 60)
    sighting = Sighting(at(20), at(20))
    open_or_extend(stream_id=archive.stream.pk, cause=Cause(CauseKind.RULE), sighting=sighting)
    loop = growing_loop.growing_loop()
    with own_connections.connect("another worker") as other:
        assert try_lock(other, RECORDINGS)
        loop.start()
        assert loop.is_healthy()
        assert not wait_for_done(within_s=0.3)

    assert wait_for(lambda: wait_for_done(within_s=0))
    loop.stop()
    loop.stop()

    assert wait_for(lambda: not loop.is_healthy())


def wait_for_done(*, within_s: float) -> bool:
    time.sleep(within_s)
    return Recording.objects.filter(state=RecordingState.DONE).exists()
