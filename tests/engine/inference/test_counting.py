"""Crowds: when they begin, how often they are told, and when they end."""

from collections.abc import Sequence
from typing import Any

import pytest

from omma_engine.inference.counting import (
    Counter,
    CountingSpec,
    CountMoment,
    counting_problem,
    decode_counting,
    encode_counting,
)

SECOND_US = 1_000_000


def told(spec: CountingSpec, counts: Sequence[int], *, step_us: int = SECOND_US) -> list[CountMoment]:
    counter = Counter(spec)
    moments = [
        moment for index, count in enumerate(counts) for moment in counter.observe(index * step_us, count)
    ]
    return moments + counter.finish()


def phases(moments: Sequence[CountMoment]) -> list[str]:
    return [moment.phase for moment in moments]


def test_a_crowd_begins_after_enough_pictures_in_a_row_and_from_the_first_of_them() -> None:
    moments = told(CountingSpec(at_least=3, probes=3), [3, 2, 3, 4, 3, 3])

    assert phases(moments) == ["start", "end"]
    assert (moments[0].start_us, moments[0].at_us, moments[0].highest) == (2 * SECOND_US, 4 * SECOND_US, 4)


def test_one_picture_that_misses_somebody_does_not_end_a_crowd() -> None:
    moments = told(CountingSpec(at_least=2, probes=2, period_s=100), [2, 2, 1, 2, 1, 1, 1])

    assert phases(moments) == ["start", "end"]
    assert moments[-1].at_us == 3 * SECOND_US


def test_a_period_is_kept_however_often_pictures_come() -> None:
    moments = told(CountingSpec(probes=1, period_s=2.0), [1] * 100, step_us=100_000)

    periods = [moment.at_us for moment in moments if moment.phase == "period"]
    assert periods == [2_000_000, 4_000_000, 6_000_000, 8_000_000]


def test_nobody_at_all_is_a_crowd_where_no_number_is_asked_for() -> None:
    assert phases(told(CountingSpec(probes=1, period_s=1), [0, 0])) == ["start", "period", "end"]
    assert not CountingSpec(at_least=0).is_bounded


def test_a_delay_must_pass_first() -> None:
    assert phases(told(CountingSpec(at_most=0, probes=1, delay_s=5), [0] * 5 + [1] * 3)) == []
    assert phases(told(CountingSpec(at_most=0, probes=1, delay_s=5), [0] * 6)) == ["start", "end"]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [("period", [True, True, False]), ("start", [True, False]), ("end", [False, True])],
)
def test_what_is_told_follows_the_trigger(trigger: str, expected: list[bool]) -> None:
    moments = told(CountingSpec(trigger=trigger, probes=1, period_s=1), [2, 2])

    assert [moment.is_told for moment in moments] == expected
    assert len({moment.event_id for moment in moments}) == 1


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"trigger": "often"}, "trigger: expected period or start or end"),
        ({"period_s": 0.1}, "period_s: expected 0.5 to 86400"),
        ({"period_s": float("nan")}, "period_s"),
        ({"at_least": -1}, "at_least: expected a whole number"),
        ({"at_least": True}, "at_least"),
        ({"at_least": 5, "at_most": 4}, "at_least: expected no more than at_most"),
        ({"probes": 0}, "probes"),
        ({"overview": "yes"}, "overview: expected true or false"),
        ({"sound": 1}, "there is no 'sound'"),
        ({"at_least": None, "at_most": None, "period_s": 1}, ""),
    ],
)
def test_what_is_wrong_is_named(raw: dict[str, Any], problem: str) -> None:
    found = counting_problem(raw)

    assert problem in found if problem else found == ""


def test_a_spec_survives_its_way_through_json() -> None:
    spec = CountingSpec(trigger="end", at_least=2, at_most=9, coordinates=True, image_format="png")

    assert decode_counting(encode_counting(spec)) == spec
