"""Rule recordings: opened with their pre-roll, extended, split and closed by the footage there is."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.models import Outbox, Task
from apps.recordings.growing import Cause, Sighting, grow, growing_ids, open_or_extend
from apps.recordings.models import CauseKind, Recording, RecordingState
from omma_engine.ids import uuid7
from tests.apps.recordings.archive import Archive, at

CAUSE = Cause(CauseKind.RULE, uuid7(), "People")


def seen(
    start_s: float,
    end_s: float,
    label: str = "person",
    confidence: float = 0.5,
    *,
    post_roll_s: int | None = None,
) -> Sighting:
    return Sighting(at(start_s), at(end_s), label, confidence, post_roll_s=post_roll_s)


def open_for(archive: Archive, sighting: Sighting, cause: Cause = CAUSE) -> Recording:
    return open_or_extend(stream_id=archive.stream.pk, cause=cause, sighting=sighting)


def grow_all(now_s: float) -> None:
    for recording_id in growing_ids():
        grow(recording_id, at(now_s))


def spans() -> list[tuple[datetime, datetime]]:
    return list(Recording.objects.order_by("start").values_list("start", "end"))


def test_recording_begins_at_the_keyframe_before_its_pre_roll(archive: Archive) -> None:
    archive.add_rows(0, 60)

    recording = open_for(archive, seen(25.4, 25.4))

    assert (recording.wanted_start, recording.start) == (at(15.4), at(15))
    assert recording.until == at(35.4)
    assert (recording.trigger_at, recording.best_at) == (at(25.4), at(25.4))
    assert (recording.number, recording.labels, recording.confidence) == (1, ["person"], 0.5)
    assert (recording.cause_kind, recording.cause_name) == ("rule", "People")


def test_recording_closes_when_its_post_roll_is_on_disk(archive: Archive) -> None:
    archive.add_rows(0, 30)
    open_for(archive, seen(25, 25))

    grow_all(31)
    assert Recording.objects.get().state == RecordingState.ACTIVE
    assert Recording.objects.get().end == at(30)
    archive.add_rows(30, 20)
    grow_all(36)

    recording = Recording.objects.get()
    assert (recording.state, recording.start, recording.end) == (RecordingState.DONE, at(15), at(35))
    assert list(
        Outbox.objects.order_by("id").filter(subject_kind="recording").values_list("kind", flat=True)
    ) == [
        "recording.created",
        "recording.updated",
    ]
    assert Task.objects.filter(kind="thumbnail").exists()


def test_footage_that_never_comes_is_not_waited_for_forever(archive: Archive) -> None:
    archive.add_rows(0, 30)
    open_for(archive, seen(25, 25))

    grow_all(49)
    assert Recording.objects.get().state == RecordingState.ACTIVE
    grow_all(50)

    recording = Recording.objects.get()
    assert (recording.state, recording.end, recording.until) == (RecordingState.DONE, at(30), at(35))


def test_recording_of_nothing_is_removed(archive: Archive) -> None:
    open_for(archive, seen(25, 25))

    grow_all(60)

    assert not Recording.objects.exists()
    assert Outbox.objects.filter(subject_kind="recording").order_by("-id")[0].kind == "recording.deleted"


def test_stream_that_began_late_gives_what_there_is(archive: Archive) -> None:
    archive.add_rows(20, 40)

    open_for(archive, seen(25, 25))
    grow_all(60)

    assert spans() == [(at(20), at(35))]


def test_overlapping_causes_share_one_recording(archive: Archive) -> None:
    archive.add_rows(0, 60)
    other = Cause(CauseKind.RULE, uuid7(), "Motion")

    first = open_for(archive, seen(20, 20, "person", 0.5))
    second = open_for(archive, seen(29, 33, "motion", 0.9), other)

    assert first.pk == second.pk
    assert second.labels == ["motion", "person"]
    assert (second.confidence, second.best_at, second.until) == (0.9, at(33), at(43))
    assert second.cause_name == "People"


def test_later_cause_out_of_reach_opens_another(archive: Archive) -> None:
    archive.add_rows(0, 60, 60)

    open_for(archive, seen(20, 20))
    open_for(archive, seen(60, 60))
    grow_all(100)

    assert spans() == [(at(10), at(30)), (at(50), at(70))]
    assert set(Recording.objects.values_list("state", flat=True)) == {"done"}


def test_news_of_long_ago_makes_a_finished_recording_and_leaves_the_growing_one(archive: Archive) -> None:
    archive.add_rows(0, 60, 60, 60)
    growing = open_for(archive, seen(150, 150))

    late = open_for(archive, seen(30, 32))

    growing.refresh_from_db()
    assert (late.state, late.start, late.end) == (RecordingState.DONE, at(20), at(42))
    assert growing.state == RecordingState.ACTIVE


def test_finished_recording_goes_on_when_its_cause_comes_back_at_once(archive: Archive) -> None:
    archive.add_rows(0, 60)
    open_for(archive, seen(20, 20))
    grow_all(40)
    assert Recording.objects.get().state == RecordingState.DONE

    open_for(archive, seen(40, 40))
    grow_all(60)

    assert spans() == [(at(10), at(50))]


def test_peoples_recordings_stay_apart_from_rules(archive: Archive) -> None:
    archive.add_rows(0, 60)
    open_for(archive, seen(20, 20), Cause(CauseKind.USER))

    open_for(archive, seen(20, 20))

    assert Recording.objects.count() == 2


def test_long_recording_is_split_into_contiguous_ones(archive: Archive) -> None:
    archive.add_rows(0, *[60] * 30)
    open_for(archive, seen(10.5, 10.5))

    for now_s in range(60, 1500, 60):
        open_for(archive, seen(10.5, now_s, post_roll_s=10))
        grow_all(now_s)
    grow_all(1480)

    found = list(Recording.objects.order_by("start"))
    assert [(one.start, one.end) for one in found] == [
        (at(0), at(600)),
        (at(600), at(1200)),
        (at(1200), at(1450)),
    ]
    assert [one.continues_id for one in found] == [None, *[one.pk for one in found[:-1]]]
    assert [one.number for one in found] == [1, 2, 3]
    assert all(one.labels == ["person"] for one in found)


def test_hole_inside_leaves_the_bounds_as_they_are(archive: Archive) -> None:
    archive.add_rows(0, 18)
    archive.add_rows(24, 60)

    open_for(archive, seen(20, 26))
    grow_all(60)

    assert spans() == [(at(10), at(36))]


@pytest.mark.parametrize("value", [0.1, 0.4])
def test_weaker_sighting_changes_nothing_but_the_end(archive: Archive, value: float) -> None:
    archive.add_rows(0, 60)
    open_for(archive, seen(20, 20, confidence=0.5))
    told = Outbox.objects.count()

    recording = open_for(archive, seen(20, 22, confidence=value))

    assert (recording.confidence, recording.best_at, recording.until) == (0.5, at(20), at(32))
    assert Outbox.objects.count() == told


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sightings=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), min_size=1, max_size=8))
def test_every_sighting_ends_up_inside_recordings_that_do_not_overlap(
    archive: Archive, sightings: list[tuple[int, int]]
) -> None:
    Recording.objects.all().delete()
    if not archive.stream.segments.exists():
        archive.add_rows(-100, *[60] * 12)

    for start_s, length_s in sorted(sightings):
        open_for(archive, seen(start_s, start_s + length_s))
        grow_all(start_s + length_s + 3)
    grow_all(2000)

    found = spans()
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    for start_s, length_s in sightings:
        wanted = (at(start_s - 10), at(start_s + length_s + 10))
        assert any(start <= wanted[0] and wanted[1] <= end for start, end in found), (wanted, found)
