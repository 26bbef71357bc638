"""What retention chooses: limits are met, the oldest goes first, and what is wanted for good stays."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from omma_engine.retention import (
    Footage,
    Interval,
    Limits,
    Reason,
    RetentionFacts,
    VolumeFacts,
    decide,
)

MINUTE_US = 60_000_000
GB = 1 << 30
NOW_US = 1_790_000_000_000_000
ACCOUNT, CAMERA, STREAM, VOLUME = (UUID(int=number) for number in (1, 2, 3, 4))
HERE = VolumeFacts(VOLUME, free_bytes=100 * GB, min_free_bytes=GB)


def minutes_ago(
    number: int, *, size_bytes: int = 100, is_transient: bool = False, is_open: bool = False
) -> Footage:
    start_us = NOW_US - number * MINUTE_US
    return Footage(
        UUID(int=1000 + number), STREAM, CAMERA, ACCOUNT, VOLUME, start_us, start_us + MINUTE_US, size_bytes,
        is_open=is_open, is_transient=is_transient,
    )  # fmt: skip


def recorded(first: int, last: int, *, is_protected: bool = False) -> Interval:
    return Interval(STREAM, NOW_US - first * MINUTE_US, NOW_US - last * MINUTE_US, is_protected)


def facts_of(
    *footage: Footage, recordings: tuple[Interval, ...] = (), limits: Limits | None = None
) -> RetentionFacts:
    return RetentionFacts(NOW_US, footage, recordings, [HERE], limits or Limits())


def test_nothing_known_deletes_nothing() -> None:
    decision = decide(facts_of(limits=Limits(max_age_us=0, max_bytes=0)))

    assert decision.doomed == {}


def test_age_dooms_what_ended_before_it_recorded_or_not() -> None:
    facts = facts_of(
        *[minutes_ago(n) for n in (10, 9, 8)],
        recordings=(recorded(10, 8),),
        limits=Limits(max_age_us=8 * MINUTE_US),
    )

    assert decide(facts).doomed == {UUID(int=1010): Reason.AGE}


def test_size_dooms_the_oldest_until_it_fits() -> None:
    facts = facts_of(*[minutes_ago(n) for n in (1, 4, 2, 3)], limits=Limits(max_bytes=250))

    assert list(decide(facts).doomed.items()) == [
        (UUID(int=1004), Reason.ACCOUNT_SIZE),
        (UUID(int=1003), Reason.ACCOUNT_SIZE),
    ]


def test_camera_has_its_own_limits_before_its_accounts() -> None:
    facts = replace(
        facts_of(minutes_ago(3), minutes_ago(2), limits=Limits(max_age_us=MINUTE_US)),
        camera_limits={CAMERA: Limits(max_age_us=None, max_bytes=150)},
    )

    assert decide(facts).doomed == {UUID(int=1003): Reason.CAMERA_SIZE}


def test_volume_keeps_its_free_space() -> None:
    facts = replace(
        facts_of(*[minutes_ago(n) for n in (4, 3, 2)], limits=Limits(max_age_us=int(2.5 * MINUTE_US))),
        volumes=[VolumeFacts(VOLUME, free_bytes=GB - 150, min_free_bytes=GB)],
    )

    assert decide(facts).doomed == {UUID(int=1004): Reason.AGE, UUID(int=1003): Reason.FREE_SPACE}


def test_held_footage_stays_and_what_is_missing_is_told() -> None:
    facts = replace(
        facts_of(
            minutes_ago(3),
            minutes_ago(2),
            recordings=(recorded(4, 0, is_protected=True),),
            limits=Limits(0, 50),
        ),
        volumes=[VolumeFacts(VOLUME, free_bytes=GB - 70, min_free_bytes=GB)],
    )

    decision = decide(facts)

    assert decision.doomed == {}
    assert decision.starved_volumes == {VOLUME: 70}
    assert decision.starved_accounts == {ACCOUNT: 150}


def test_transient_footage_goes_unless_a_recording_touches_it() -> None:
    facts = facts_of(
        *[minutes_ago(n, is_transient=True) for n in (6, 5, 4, 3, 1)],
        recordings=(
            Interval(STREAM, NOW_US - 5 * MINUTE_US + 59_000_000, NOW_US - 4 * MINUTE_US + 1, False),
        ),
    )

    doomed = decide(facts).doomed

    assert doomed == {UUID(int=1006): Reason.TRANSIENT, UUID(int=1003): Reason.TRANSIENT}


def test_transient_footage_waits_its_time() -> None:
    facts = replace(
        facts_of(minutes_ago(3, is_transient=True), minutes_ago(2, is_transient=True)),
        transient_keep_us={STREAM: 90_000_000},
    )

    assert decide(facts).doomed == {UUID(int=1003): Reason.TRANSIENT}


def test_open_segments_and_absent_volumes_are_left_alone() -> None:
    foreign = replace(minutes_ago(5), volume_id=UUID(int=99))
    facts = facts_of(foreign, minutes_ago(4, is_open=True), limits=Limits(max_age_us=0, max_bytes=0))

    assert decide(facts).doomed == {}


footage_rows = st.lists(
    st.builds(
        minutes_ago,
        st.integers(1, 200),
        size_bytes=st.integers(0, 1000),
        is_transient=st.booleans(),
        is_open=st.booleans(),
    ),
    unique_by=lambda one: one.segment_id,
    max_size=40,
)
intervals = st.lists(
    st.builds(
        lambda first, length, is_protected: Interval(
            STREAM, NOW_US - first * 1_000_000, NOW_US - (first - length) * 1_000_000, is_protected
        ),
        st.integers(1, 12_000),
        st.integers(0, 900),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(
    footage=footage_rows,
    recordings=intervals,
    max_age_us=st.none() | st.integers(0, 200 * MINUTE_US),
    max_bytes=st.none() | st.integers(0, 20_000),
    free_bytes=st.integers(0, 10_000),
)
def test_limits_are_met_and_wanted_footage_never_goes(
    footage: list[Footage],
    recordings: list[Interval],
    max_age_us: int | None,
    max_bytes: int | None,
    free_bytes: int,
) -> None:
    facts = replace(
        facts_of(*footage, recordings=tuple(recordings), limits=Limits(max_age_us, max_bytes)),
        volumes=[VolumeFacts(VOLUME, free_bytes=free_bytes, min_free_bytes=5000)],
    )

    decision = decide(facts)

    for one in footage:
        touching = [each for each in recordings if each.start_us < one.end_us and each.end_us > one.start_us]
        if one.is_open or any(each.is_protected for each in touching):
            assert one.segment_id not in decision.doomed
        if touching and decision.doomed.get(one.segment_id) is Reason.TRANSIENT:
            raise AssertionError(one)
    kept = sum(one.size_bytes for one in footage if one.segment_id not in decision.doomed)
    if max_bytes is not None:
        assert kept <= max_bytes or decision.starved_accounts == {ACCOUNT: kept - max_bytes}
    freed = sum(one.size_bytes for one in footage if one.segment_id in decision.doomed)
    missing = 5000 - free_bytes - freed
    assert missing <= 0 or decision.starved_volumes == {VOLUME: missing}
