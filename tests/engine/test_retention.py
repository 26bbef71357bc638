"""What retention chooses: classes are kept as long as asked, and what is wanted for good stays."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma_engine.retention import (
    Ages,
    Footage,
    FootageClass,
    RoomFacts,
    Spans,
    Wanted,
    is_too_old,
    is_unwanted,
    missing_room,
    oldest_until,
)

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
GB = 1 << 30
NOW_US = 1_790_000_000_000_000
STREAM = UUID(int=3)
AGES = Ages(continuous_us=2 * DAY_US, motion_us=7 * DAY_US, event_us=30 * DAY_US)


def ago(start_us: int, length_us: int = MINUTE_US, *, size_bytes: int = 100) -> Footage:
    start = NOW_US - start_us
    return Footage(UUID(int=start), STREAM, start, start + length_us, size_bytes)


def span(start_us: int, end_us: int) -> Spans:
    return Spans([(NOW_US - start_us, NOW_US - end_us)])


@pytest.mark.parametrize(
    ("wanted", "expected", "days_kept"),
    [
        (Wanted(), FootageClass.CONTINUOUS, 2),
        (Wanted(motion=span(DAY_US, 0)), FootageClass.MOTION, 7),
        (Wanted(motion=span(DAY_US, 0), events=span(DAY_US, 0)), FootageClass.EVENT, 30),
        (Wanted(events=span(DAY_US, 0), held=span(DAY_US, 0)), FootageClass.HELD, None),
    ],
)
def test_a_segment_is_kept_as_long_as_its_best_class(
    wanted: Wanted, expected: FootageClass, days_kept: int | None
) -> None:
    one = ago(DAY_US // 2)

    assert wanted.class_of(one) is expected
    for days in (1, 2, 7, 30, 300):
        later_us = one.end_us + days * DAY_US
        is_over = days_kept is not None and days > days_kept
        assert is_too_old(one, wanted, AGES, now_us=later_us + 1) is (is_over or days == days_kept)
        assert is_too_old(one, wanted, AGES, now_us=later_us) is is_over


def test_touching_by_a_microsecond_counts_and_being_next_to_it_does_not() -> None:
    one = ago(10 * MINUTE_US)

    assert Wanted(held=Spans([(one.end_us - 1, one.end_us + 5)])).class_of(one) is FootageClass.HELD
    assert Wanted(held=Spans([(one.end_us, one.end_us + 5)])).class_of(one) is FootageClass.CONTINUOUS
    assert Wanted(held=Spans([(one.start_us - 5, one.start_us)])).class_of(one) is FootageClass.CONTINUOUS


def test_a_better_class_is_never_kept_shorter() -> None:
    ages = Ages(continuous_us=9 * DAY_US, motion_us=DAY_US, event_us=3 * DAY_US)

    assert (ages.motion_us, ages.event_us) == (9 * DAY_US, 9 * DAY_US)
    assert not ages.looks_at_motion
    assert not ages.looks_at_events


def test_transient_footage_goes_unless_a_recording_touches_it() -> None:
    one = replace(ago(5 * MINUTE_US), is_transient=True)

    assert is_unwanted(one, Wanted(), keep_us=MINUTE_US, now_us=NOW_US)
    assert not is_unwanted(one, Wanted(), keep_us=4 * MINUTE_US, now_us=NOW_US)
    assert not is_unwanted(one, Wanted(events=span(5 * MINUTE_US, 0)), keep_us=0, now_us=NOW_US)
    assert is_unwanted(one, Wanted(motion=span(5 * MINUTE_US, 0)), keep_us=0, now_us=NOW_US)
    assert not is_unwanted(ago(5 * MINUTE_US), Wanted(), keep_us=0, now_us=NOW_US)


def test_the_oldest_go_until_it_fits_and_protected_ones_are_passed_over() -> None:
    rows = [ago(n * MINUTE_US) for n in (5, 4, 3, 2)]

    gone = list(oldest_until(rows, 150, lambda one: one is rows[0]))

    assert gone == rows[1:3]
    assert list(oldest_until(rows, 0, lambda _: False)) == []
    assert list(oldest_until(rows, 0, lambda _: False, missing_files=1)) == rows[:1]
    assert list(oldest_until(rows, 10_000, lambda _: False)) == rows


ranges = st.lists(
    st.tuples(st.integers(0, 40 * 24 * 60), st.integers(1, 3000)).map(
        lambda pair: (NOW_US - pair[0] * MINUTE_US, NOW_US - (pair[0] - pair[1]) * MINUTE_US)
    ),
    max_size=8,
)
wanteds = st.builds(Wanted, held=ranges.map(Spans), events=ranges.map(Spans), motion=ranges.map(Spans))
ages = st.builds(Ages, *(st.integers(0, 35 * DAY_US) for _ in range(3)))
footage = st.builds(
    ago, st.integers(1, 40 * 24 * 60).map(lambda n: n * MINUTE_US), st.integers(1, 3 * MINUTE_US)
)


@settings(max_examples=300, deadline=None)
@given(one=footage, wanted=wanteds, kept=ages)
def test_what_is_too_old_touches_nothing_that_is_held(one: Footage, wanted: Wanted, kept: Ages) -> None:
    is_old = is_too_old(one, wanted, kept, now_us=NOW_US)

    if is_old:
        assert not wanted.held.touch(one.start_us, one.end_us)
        assert NOW_US - one.end_us > kept.continuous_us


@settings(max_examples=200, deadline=None)
@given(one=ranges, other=st.tuples(st.integers(0, 50_000), st.integers(1, 500)))
def test_spans_touch_what_any_of_them_touches(one: list[tuple[int, int]], other: tuple[int, int]) -> None:
    start_us = NOW_US - other[0] * MINUTE_US
    end_us = start_us + other[1] * MINUTE_US

    expected = any(first < end_us and start_us < last for first, last in one)

    assert Spans(one).touch(start_us, end_us) is expected
    assert (Spans(one[:3]) | Spans(one[3:])).ranges == Spans(one).ranges


def test_room_is_kept_for_five_minutes_of_all_cameras() -> None:
    facts = RoomFacts(min_free_bytes=GB, minute_bytes=100, free_bytes=GB + 200, total_bytes=100 * GB)

    assert missing_room(facts) == (300, 0)
    assert missing_room(replace(facts, free_bytes=2 * GB)) == (0, 0)


@pytest.mark.parametrize(
    "facts",
    [
        RoomFacts(min_free_bytes=500 * GB, minute_bytes=0, free_bytes=90 * GB, total_bytes=100 * GB),
        RoomFacts(min_free_bytes=0, minute_bytes=90 * GB, free_bytes=90 * GB, total_bytes=100 * GB),
        RoomFacts(min_free_bytes=0, minute_bytes=90 * GB, quota_bytes=100, used_bytes=50),
    ],
)
def test_limits_that_cannot_be_met_do_not_empty_a_disk(facts: RoomFacts) -> None:
    assert missing_room(facts) == (0, 0)


def test_a_quota_is_kept_and_files_count_where_they_run_out() -> None:
    facts = RoomFacts(min_free_bytes=0, minute_bytes=10, minute_files=2, quota_bytes=1000, used_bytes=1200)

    assert missing_room(facts) == (250, 0)
    assert missing_room(replace(facts, used_bytes=0, free_files=30)) == (0, 108)
