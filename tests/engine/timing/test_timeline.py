"""Capture times: from arrivals, from sender reports, and through everything that timestamps do wrong."""

import itertools
import random

import pytest

from omma_engine.timing.timeline import Arrival, Timeline
from omma_engine.types import ClockSource

NOW_US = 1_772_452_800_000_000
FRAME_US = 40_000


def run(
    timeline: Timeline, media_us: list[int], arrivals_us: list[int], reports: dict[int, int] | None = None
) -> tuple[list[int], list[int]]:
    """Return all capture times, and the numbers of the packets that asked for a new segment."""
    captures, jumps = [], []
    for number, (media, arrived) in enumerate(zip(media_us, arrivals_us, strict=True)):
        arrival = Arrival(media, media, arrived, (reports or {}).get(number))
        if timeline.observe(arrival):
            jumps.append(number)
        captures.append(timeline.capture_us(arrival))
    return captures, jumps


def test_jitter_does_not_move_the_time_between_pictures() -> None:
    chance = random.Random(1)
    media = [number * FRAME_US for number in range(500)]
    arrivals = [NOW_US + each + 2_000 + chance.randrange(60_000) for each in media]
    timeline = Timeline()
    for each, arrived in zip(media[:12], arrivals[:12], strict=True):
        timeline.observe(Arrival(each, each, arrived))

    captures, jumps = run(timeline, media[12:], arrivals[12:])

    steps = [later - earlier for earlier, later in itertools.pairwise(captures)]
    assert jumps == []
    assert all(abs(step - FRAME_US) <= FRAME_US * 500 // 1_000_000 for step in steps)
    assert all(
        0 <= taken - (NOW_US + each) <= 12_000 for taken, each in zip(captures, media[12:], strict=True)
    )
    assert 10_000 < timeline.error_us < 60_000


def test_a_reader_that_pauses_makes_the_time_no_less_sure() -> None:
    media = [number * FRAME_US for number in range(1000)]
    arrivals = [NOW_US + -(-each // 190_000) * 190_000 for each in media]  # what came is read each 190 ms
    timeline = Timeline()

    captures, jumps = run(timeline, media, arrivals)

    errors = [abs(taken - NOW_US - each) for taken, each in zip(captures, media, strict=True)]
    assert jumps == []
    assert max(errors) <= timeline.error_us <= 2 * FRAME_US


@pytest.mark.parametrize("burst_us", [2_000_000, 6_000_000])
def test_a_source_that_comes_in_bursts_is_less_sure_by_one(burst_us: int) -> None:
    media = [number * FRAME_US for number in range(1000)]
    arrivals = [NOW_US + each // burst_us * burst_us + 2 * burst_us for each in media]
    timeline = Timeline(20_000_000)
    for each, arrived in zip(media[:150], arrivals[:150], strict=True):
        timeline.observe(Arrival(each, each, arrived))

    captures, _ = run(timeline, media[150:], arrivals[150:])

    errors = [abs(taken - NOW_US - each) for taken, each in zip(captures, media[150:], strict=True)]
    assert max(errors) <= timeline.error_us + 10_000
    assert timeline.error_us < 2 * burst_us


def test_a_slow_crystal_is_followed() -> None:
    media = [number * FRAME_US for number in range(25 * 600)]
    arrivals = [
        NOW_US + each + each * 200 // 1_000_000 for each in media
    ]  # the camera's clock is 200 ppm slow

    captures, jumps = run(Timeline(), media, arrivals)

    assert jumps == []
    assert abs(captures[-1] - arrivals[-1]) <= 1_000


def test_a_burst_at_the_start_is_stamped_with_the_least_delay() -> None:
    timeline = Timeline()
    burst = [Arrival(number * FRAME_US, number * FRAME_US, NOW_US) for number in range(10)]

    for each in burst:
        timeline.observe(each)
    captures = [timeline.capture_us(each) for each in burst]

    assert captures == [NOW_US - (9 - number) * FRAME_US for number in range(10)]


def test_a_plausible_sender_report_is_believed_and_approached_slowly() -> None:
    media = [number * FRAME_US for number in range(25 * 120)]
    arrivals = [NOW_US + each + 150_000 for each in media]
    reports = {number: NOW_US + media[number] for number in range(50, 3000, 125)}
    timeline = Timeline()

    captures, jumps = run(timeline, media, arrivals, reports)

    assert jumps == []
    assert timeline.clock is ClockSource.RTCP
    assert abs(captures[-1] - (NOW_US + media[-1])) <= 1_000
    steps = [later - earlier for earlier, later in itertools.pairwise(captures)]
    assert min(steps) >= FRAME_US - FRAME_US * 5_000 // 1_000_000
    assert timeline.error_us <= 2_000


@pytest.mark.fault("F16")
@pytest.mark.parametrize("offset_s", [-56 * 365 * 86_400, 10 * 365 * 86_400, 14 * 3600, -14 * 3600, 6])
def test_a_camera_clock_that_is_plainly_wrong_is_noted_and_not_believed(offset_s: int) -> None:
    media = [number * FRAME_US for number in range(200)]
    arrivals = [NOW_US + each for each in media]
    timeline = Timeline()

    captures, jumps = run(timeline, media, arrivals, {50: NOW_US + media[50] + offset_s * 1_000_000})

    assert jumps == []
    assert timeline.clock is ClockSource.ARRIVAL
    assert timeline.camera_offset_us == offset_s * 1_000_000
    assert captures == arrivals


def test_a_report_never_places_a_picture_after_its_arrival() -> None:
    media = [number * FRAME_US for number in range(500)]
    arrivals = [NOW_US + each for each in media]
    timeline = Timeline()

    captures, _ = run(timeline, media, arrivals, {10: NOW_US + media[10] + 3_000_000})

    assert all(taken <= arrived for taken, arrived in zip(captures, arrivals, strict=True))


@pytest.mark.fault("F7")
@pytest.mark.parametrize("jump_us", [3_600_000_000, -10_000_000])
def test_timestamps_that_jump_ask_for_a_new_segment_and_go_on_in_true_time(jump_us: int) -> None:
    media = [number * FRAME_US + (jump_us if number >= 100 else 0) for number in range(200)]
    arrivals = [NOW_US + number * FRAME_US for number in range(200)]

    captures, jumps = run(Timeline(), media, arrivals)

    assert jumps == [100]
    assert all(abs(taken - arrived) <= 1_000 for taken, arrived in zip(captures, arrivals, strict=True))
    assert all(later > earlier for earlier, later in itertools.pairwise(captures))


@pytest.mark.fault("F7")
@pytest.mark.parametrize("rate", [0, 2])
def test_frozen_or_racing_timestamps_are_given_up_for_arrival(rate: int) -> None:
    media = [number * FRAME_US * rate for number in range(25 * 60)]
    arrivals = [NOW_US + number * FRAME_US for number in range(25 * 60)]
    timeline = Timeline()

    captures, jumps = run(timeline, media, arrivals)

    assert timeline.is_distrusted
    assert len(jumps) <= 10
    assert abs(captures[-1] - arrivals[-1]) <= 1_000
    assert all(later >= earlier for earlier, later in itertools.pairwise(captures))


def test_a_pause_of_the_transport_is_no_jump() -> None:
    media = [number * FRAME_US for number in range(300)]
    arrivals = [NOW_US + each // 6_000_000 * 6_000_000 + 6_000_000 for each in media]  # segments of 6 s

    timeline = Timeline(20_000_000)
    for each, arrived in zip(media[:150], arrivals[:150], strict=True):
        timeline.observe(Arrival(each, each, arrived))

    captures, jumps = run(timeline, media[150:], arrivals[150:])

    assert jumps == []
    steps = [later - earlier for earlier, later in itertools.pairwise(captures)]
    assert all(abs(step - FRAME_US) <= FRAME_US * 500 // 1_000_000 for step in steps)


def test_a_second_run_never_begins_before_the_first_ended() -> None:
    first, second = Timeline(), None
    run(
        first,
        [number * FRAME_US for number in range(50)],
        [NOW_US + number * FRAME_US for number in range(50)],
    )

    second = Timeline(not_before_us=first.latest_us)
    captures, _ = run(second, [0, FRAME_US], [NOW_US, NOW_US + FRAME_US])

    assert captures[0] > first.latest_us
