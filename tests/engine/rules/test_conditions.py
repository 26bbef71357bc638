"""Conditions beyond being there: lines, time in all, numbers, speed and standing still."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omma_engine.rules import (
    NO_TRACK,
    FrameRule,
    MatchPhase,
    RuleEvaluator,
    SeenObject,
    decode_rule,
    encode_rule,
)
from omma_engine.rules.conditions import (
    Condition,
    CountInZone,
    DwellTime,
    LineCrossing,
    SpeedRange,
    StandsStill,
)

RULE_ID = UUID(int=1)
TENTH_US = 100_000
LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
FENCE = ((0.5, 0.0), (0.5, 1.0))  # from the top down: its right is the picture's left


def seen(x: float, y: float = 0.6, *, track: int = 1, **changes: Any) -> SeenObject:
    return SeenObject(track, "person", 0.8, (x - 0.05, y - 0.3, x + 0.05, y), (x, y), **changes)


def started(
    condition: Condition, frames: Sequence[Sequence[SeenObject]], **changes: Any
) -> list[tuple[int, int]]:
    """Return track and frame of each match that starts."""
    evaluator = RuleEvaluator([FrameRule(RULE_ID, condition=condition, **changes)])
    return [
        (match.track, index)
        for index, objects in enumerate(frames)
        for match in evaluator.observe(index * TENTH_US, objects)
        if match.phase == "start"
    ]


@pytest.mark.parametrize(("direction", "expected"), [("any", 1), ("to_left", 1), ("to_right", 0)])
def test_a_line_is_crossed_in_a_direction(direction: str, expected: int) -> None:
    walk = [[seen(0.3 + 0.02 * step)] for step in range(20)]

    assert len(started(LineCrossing(*FENCE, direction), walk)) == expected
    assert len(started(LineCrossing(*FENCE[::-1], direction), walk[::-1])) == expected


def test_who_trembles_on_the_line_crosses_it_not_at_all_and_who_comes_back_twice() -> None:
    trembling = [[seen(0.5 + 0.008 * (-1) ** step)] for step in range(40)]
    there_and_back = [[seen(x)] for x in (0.4, 0.6, *[0.6] * 20, 0.4)]

    assert started(LineCrossing(*FENCE), trembling) == []
    assert len(started(LineCrossing(*FENCE), there_and_back)) == 2


def test_passing_the_end_of_a_line_is_no_crossing() -> None:
    short = LineCrossing((0.5, 0.0), (0.5, 0.3))

    assert started(short, [[seen(0.3, 0.6)], [seen(0.7, 0.6)]]) == []
    assert started(short, [[seen(0.3, 0.2)], [seen(0.7, 0.2)]]) == [(1, 1)]


def test_a_fast_one_that_jumps_over_the_line_has_crossed_it() -> None:
    assert started(LineCrossing(*FENCE), [[seen(0.05)], [seen(0.95)]]) == [(1, 1)]


def test_time_in_a_zone_adds_up_over_visits() -> None:
    visit, away = [[seen(0.3)]] * 11, [[seen(0.8)]] * 20

    matches = started(DwellTime(2.0), [*visit, *away, *visit, *visit], polygon=LEFT_HALF)

    assert matches == [(1, 11 + 20 + 10)]


def test_time_that_nobody_saw_does_not_count() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, condition=DwellTime(5.0))])

    assert evaluator.observe(0, [seen(0.3)]) == []
    assert evaluator.observe(30_000_000, [seen(0.3)]) == []


def test_a_number_at_once_matches_no_single_track() -> None:
    crowd = [seen(0.1 + 0.1 * track, track=track) for track in range(3)]

    assert started(CountInZone(at_least=3), [crowd[:2], crowd]) == [(NO_TRACK, 1)]
    assert started(CountInZone(at_least=3), [[*crowd[:2], seen(0.9, track=2)]], polygon=LEFT_HALF) == []


def test_nobody_can_be_what_is_asked_for() -> None:
    empty_for_long = started(CountInZone(at_most=0), [[seen(0.3)]] * 3 + [[]] * 30, min_duration_s=2.0)

    assert empty_for_long == [(NO_TRACK, 23)]


def test_speed_counts_only_where_it_is_known() -> None:
    fast, slow, unknown = seen(0.3, speed_kmh=40.0), seen(0.3, speed_kmh=20.0), seen(0.3)

    assert started(SpeedRange(at_least_kmh=30), [[unknown], [slow], [fast]]) == [(1, 2)]
    assert started(SpeedRange(at_most_kmh=25), [[unknown], [fast], [slow]]) == [(1, 2)]


def test_standing_still_takes_its_time() -> None:
    frames = [[seen(0.3, still_s=second)] for second in range(10)]

    assert started(StandsStill(5.0), frames) == [(1, 5)]


def test_a_changed_condition_forgets_what_was_before() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, condition=DwellTime(1.0))])
    for tenth in range(9):
        evaluator.observe(tenth * TENTH_US, [seen(0.3)])
    evaluator.replace_rules([FrameRule(RULE_ID, condition=DwellTime(1.5))])

    assert evaluator.observe(10 * TENTH_US, [seen(0.3)]) == []


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
side = st.floats(0, 1)
conditions = st.one_of(
    st.none(),
    st.builds(
        LineCrossing, st.tuples(side, side), st.tuples(side, side), st.sampled_from(["any", "to_left"])
    ),
    st.builds(DwellTime, st.floats(0.1, 100)),
    st.builds(CountInZone, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
    st.builds(SpeedRange, st.none() | st.floats(0, 300), st.none() | st.floats(0, 300)),
    st.builds(StandsStill, st.floats(0.1, 100)),
)


@unhurried
@given(condition=conditions)
def test_a_condition_survives_its_way_through_json(condition: Condition | None) -> None:
    rule = FrameRule(RULE_ID, condition=condition)

    assert decode_rule(encode_rule(rule)) == rule


@unhurried
@given(condition=conditions, places=st.lists(st.lists(st.tuples(side, side), max_size=3), max_size=12))
def test_matches_begin_and_end_in_pairs_whatever_is_asked(
    condition: Condition | None, places: list[list[tuple[float, float]]]
) -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, condition=condition)])
    told = [
        match
        for index, points in enumerate(places)
        for match in evaluator.observe(
            index * 500_000, [seen(x, y, track=track) for track, (x, y) in enumerate(points)]
        )
    ]
    told += evaluator.finish()

    phases = [match.phase for match in told]
    assert phases.count(MatchPhase.START) == phases.count(MatchPhase.END)
