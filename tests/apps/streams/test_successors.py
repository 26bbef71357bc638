"""When a worker that hands over may let go of a camera."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.streams.models import Source, Stream, Volume
from apps.streams.sinks import CaptureSink
from apps.streams.successors import recording_successors
from apps.streams.volumes import ensure_default_volume
from omma_engine.ports import Lease
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import Life, own
from tests.clocks import START
from tests.factories import make_account

pytestmark = pytest.mark.fault("F34")
OLD, NEW = 4, 5


@pytest.fixture
def stream(db: Any, data_dir: Any) -> Stream:
    ensure_default_volume()
    stream = add_stream(make_account(), "synthetic:yard")
    own(stream, NEW)
    return stream


def has_successor(stream: Stream) -> bool:
    return bool(recording_successors([Lease("source", stream.source_id, OLD << 20)]))


def be(stream: Stream, status: str, seconds_ago: float) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Source.objects.filter(id=stream.source_id).update(status=status, status_at=at)


@pytest.mark.parametrize("status", ["connecting", "reconnecting", "failed"])
def test_a_successor_on_its_way_to_the_first_picture_is_waited_for(stream: Stream, status: str) -> None:
    be(stream, status, seconds_ago=1)

    assert not has_successor(stream)


def test_a_camera_that_has_been_away_all_along_is_let_go(stream: Stream) -> None:
    be(stream, "reconnecting", seconds_ago=60)

    assert has_successor(stream)


def test_a_camera_of_which_nothing_is_kept_is_let_go(stream: Stream) -> None:
    be(stream, "live", seconds_ago=60)
    assert not has_successor(stream)

    Stream.objects.filter(id=stream.id).update(mode="off")
    assert has_successor(stream)


def test_footage_of_the_successor_counts_and_that_of_the_leaving_worker_does_not(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(stream, "live", seconds_ago=60)
    monkeypatch.setattr("apps.streams.successors.timezone.now", lambda: START)
    sink, volume = CaptureSink(), Volume.objects.get()

    own(stream, OLD)
    sink.commit(Life(stream, volume, (OLD << 20) + 1).whole(1, 0, 5))
    assert not has_successor(stream)

    own(stream, NEW)
    sink.commit(Life(stream, volume, (NEW << 20) + 1).whole(1, 5, 5))
    assert has_successor(stream)
