"""Rules over frames: when a match begins, goes on and ends."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from omma_engine.rules import (
    FrameRule,
    Match,
    MatchPhase,
    RuleEvaluator,
    SeenObject,
    decode_rule,
    encode_rule,
)

RULE_ID = UUID(int=1)
SECOND_US = 1_000_000


def seen(*, track: int = 1, label: str = "person", confidence: float = 0.8, x: float = 0.5) -> SeenObject:
    return SeenObject(track, label, confidence, (x - 0.05, 0.3, x + 0.05, 0.6), (x, 0.6))


def phases(matches: Sequence[Match]) -> list[MatchPhase]:
    return [match.phase for match in matches]


def test_a_match_starts_updates_each_two_seconds_and_ends_after_the_gap() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, frozenset({"person"}))])

    told = [match for tenth in range(50) for match in evaluator.observe(tenth * 100_000, [seen()])]
    told += [match for tenth in range(50, 80) for match in evaluator.observe(tenth * 100_000, [])]

    assert phases(told) == ["start", "update", "update", "end"]
    assert (told[-1].at_us, told[-1].until_us) == (0, 4_900_000)


def test_a_duration_must_be_reached_and_short_misses_do_not_interrupt_it() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, min_duration_s=2.0, gap_s=0.5)])

    early = (
        evaluator.observe(0, [seen()]) + evaluator.observe(400_000, []) + evaluator.observe(500_000, [seen()])
    )
    early += [match for tenth in range(6, 20) for match in evaluator.observe(tenth * 100_000, [seen()])]
    late = evaluator.observe(2 * SECOND_US, [seen()])

    assert early == []
    assert phases(late) == ["start"]
    assert late[0].at_us == 0


def test_a_long_miss_begins_the_duration_anew() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID, min_duration_s=2.0, gap_s=0.5)])

    told = evaluator.observe(0, [seen()]) + evaluator.observe(SECOND_US, [seen()])
    told += evaluator.observe(2 * SECOND_US, [seen()])

    assert told == []


def test_label_confidence_and_place_are_each_required() -> None:
    half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    rule = FrameRule(RULE_ID, frozenset({"person"}), min_confidence=0.5, polygon=half)

    assert RuleEvaluator([rule]).observe(0, [seen(label="dog", x=0.2)]) == []
    assert RuleEvaluator([rule]).observe(0, [seen(confidence=0.4, x=0.2)]) == []
    assert RuleEvaluator([rule]).observe(0, [seen(x=0.7)]) == []
    assert phases(RuleEvaluator([rule]).observe(0, [seen(x=0.2)])) == ["start"]


def test_each_track_has_its_own_match_and_tells_its_best_frame() -> None:
    evaluator = RuleEvaluator([FrameRule(RULE_ID)])
    evaluator.observe(0, [seen(track=1), seen(track=2)])
    evaluator.observe(SECOND_US, [seen(track=1, confidence=0.95), seen(track=2)])

    ended = evaluator.finish()

    assert [(match.track, match.confidence) for match in ended] == [(1, 0.95), (2, 0.8)]
    assert not evaluator.is_matching


def test_changed_rules_end_their_matches_and_others_go_on() -> None:
    kept, changed = FrameRule(RULE_ID), FrameRule(UUID(int=2))
    evaluator = RuleEvaluator([kept, changed])
    evaluator.observe(0, [seen()])

    ended = evaluator.replace_rules([kept, FrameRule(UUID(int=2), min_confidence=0.9)])

    assert [(match.rule_id, match.phase) for match in ended] == [(UUID(int=2), "end")]
    assert evaluator.is_matching


frames = st.lists(
    st.tuples(
        st.integers(10_000, 3_000_000), st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), max_size=3)
    ),
    max_size=60,
)


@given(frames=frames, min_duration_s=st.sampled_from([0.0, 0.5, 2.0]), gap_s=st.sampled_from([0.1, 1.5]))
def test_phases_of_a_track_always_come_as_start_updates_end(
    frames: list[tuple[int, list[tuple[int, float]]]], min_duration_s: float, gap_s: float
) -> None:
    rule = FrameRule(RULE_ID, min_confidence=0.5, min_duration_s=min_duration_s, gap_s=gap_s)
    evaluator = RuleEvaluator([rule])
    at_us, told = 0, []
    for step_us, objects in frames:
        at_us += step_us
        told += evaluator.observe(at_us, [seen(track=track, confidence=score) for track, score in objects])
    told += evaluator.finish()

    open_tracks: set[int] = set()
    for match in told:
        assert match.confidence >= 0.5
        assert match.until_us >= match.at_us
        assert (match.track in open_tracks) == (match.phase is not MatchPhase.START)
        if match.phase is MatchPhase.START:
            assert match.until_us - match.at_us >= min_duration_s * 1e6
            open_tracks.add(match.track)
        elif match.phase is MatchPhase.END:
            open_tracks.remove(match.track)
    assert open_tracks == set()


@given(
    labels=st.frozensets(st.text(min_size=1, max_size=8), max_size=3),
    polygon=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=5),
)
def test_a_rule_survives_its_way_through_json(
    labels: frozenset[str], polygon: list[tuple[float, float]]
) -> None:
    rule = FrameRule(RULE_ID, labels, 0.3, tuple(polygon), 1.5, 0.7)

    assert decode_rule(encode_rule(rule)) == rule
