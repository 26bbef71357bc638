"""Two owners recorded the same time, and their news come in any order: each instant has one segment."""

from typing import Any

import pytest

from apps.streams.models import Segment, SegmentState, Stream, Volume
from apps.streams.sinks import CaptureSink
from apps.streams.volumes import ensure_default_volume
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import Life, at, own
from tests.factories import make_account

pytestmark = pytest.mark.fault("F33", "F47")
FIRST, SECOND, THIRD = 5, 6, 7


@pytest.fixture
def stream(db: Any, data_dir: Any) -> Stream:
    """Return a stream that began to exist at START, owned by the third block."""
    ensure_default_volume()
    stream = add_stream(make_account(), "synthetic:yard")
    Stream.objects.filter(id=stream.id).update(created_at=at(0))
    own(stream, THIRD)
    stream.refresh_from_db()
    return stream


def life_of(stream: Stream, block: int) -> Life:
    return Life(stream, Volume.objects.get(), (block << 20) + 1)


def kept(stream: Stream) -> list[tuple[Any, Any, int]]:
    rows = Segment.objects.filter(stream=stream).exclude(state=SegmentState.GARBAGE).order_by("start")
    return [(row.start, row.end, row.epoch >> 20) for row in rows]


def test_what_the_second_owner_left_cuts_what_the_first_had_filled_in(stream: Stream) -> None:
    sink = CaptureSink()
    sink.fill(life_of(stream, FIRST).whole(1, 0, 17))

    sink.fill(life_of(stream, SECOND).whole(1, 16, 10))

    assert kept(stream) == [(at(0), at(16), FIRST), (at(16), at(26), SECOND)]


def test_what_the_first_owner_recorded_for_longer_stays_whole(stream: Stream) -> None:
    sink = CaptureSink()
    sink.fill(life_of(stream, FIRST).whole(1, 0, 30))

    sink.fill(life_of(stream, SECOND).whole(1, 16, 1))

    assert kept(stream) == [(at(0), at(30), FIRST)]


def test_older_footage_that_begins_later_ends_what_is_filled_in(stream: Stream) -> None:
    sink = CaptureSink()
    sink.fill(life_of(stream, FIRST).whole(1, 20, 30))

    sink.fill(life_of(stream, SECOND).whole(1, 10, 15))

    assert kept(stream) == [(at(10), at(20), SECOND), (at(20), at(50), FIRST)]


def test_a_segment_that_grows_takes_the_time_of_older_footage(stream: Stream) -> None:
    sink, owner = CaptureSink(), life_of(stream, THIRD)
    sink.commit([owner.opens(1, 10), owner.grows(1, 0, 5)])
    sink.fill(life_of(stream, FIRST).whole(1, 20, 4))  # it lies beyond what the owner has said so far

    sink.commit([owner.grows(1, 5, 20)])

    assert kept(stream) == [(at(10), at(30), THIRD)]


@pytest.mark.fault("F38")
def test_of_two_lives_in_one_block_the_newer_has_the_time_of_both(stream: Stream) -> None:
    sink = CaptureSink()
    old, new = life_of(stream, THIRD), life_of(stream, THIRD)
    new.epoch += 1
    sink.commit([old.opens(1, 0), old.grows(1, 0, 4)])

    sink.commit([old.grows(1, 4, 8), new.opens(1, 6), new.grows(1, 0, 3)])  # it is being renewed
    sink.fill([old.grows(1, 8, 10), old.closes(1, 10)])

    rows = Segment.objects.filter(stream=stream).exclude(state=SegmentState.GARBAGE).order_by("start")
    assert [(row.start, row.end) for row in rows] == [(at(0), at(6)), (at(6), at(9))]
