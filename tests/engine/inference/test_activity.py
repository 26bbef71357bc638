"""What counts as a sign that something happens in a scene."""

import numpy as np
import numpy.typing as npt

from omma_engine.inference.activity import GREY_HEIGHT, GREY_WIDTH, Activity

SECOND_US = 1_000_000


def grey(chance: np.random.Generator, *, sigma: float, square: int = 0) -> npt.NDArray[np.uint8]:
    picture = np.full((GREY_HEIGHT, GREY_WIDTH), 100.0) + chance.normal(0, sigma, (GREY_HEIGHT, GREY_WIDTH))
    picture[40 : 40 + square, 60 : 60 + square] += 60
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_noise_of_keyframes_is_quiet_and_a_small_figure_is_not() -> None:
    chance, activity = np.random.default_rng(3), Activity()

    quiet = [activity.note_picture(grey(chance, sigma=6), at * SECOND_US) for at in range(1, 30)]
    came = activity.note_picture(grey(chance, sigma=6, square=9), 30 * SECOND_US)

    assert not any(quiet)
    assert came
    assert activity.is_awake(31 * SECOND_US)
    assert not activity.is_awake(34 * SECOND_US)


def test_packets_that_grow_are_a_sign_and_their_usual_spread_is_not() -> None:
    chance, activity = np.random.default_rng(4), Activity()

    def sizes(at: int, mean: float) -> list[tuple[int, int]]:
        return [(at * 200_000 + n, int(abs(chance.normal(mean, mean / 4)))) for n in range(6)]

    usual = [activity.note_sizes(sizes(at, 2000)) for at in range(300)]
    grown = activity.note_sizes(sizes(301, 6000))

    assert not any(usual)
    assert grown
    assert activity.is_awake(302 * 200_000)


def test_a_live_track_is_a_sign_until_it_is_over() -> None:
    activity = Activity()

    activity.note_track(10 * SECOND_US)

    assert activity.is_awake(12 * SECOND_US)
    assert not activity.is_awake(14 * SECOND_US)


def bursts(activity: Activity, *, from_s: int, until_s: int, burst: int = 10_000) -> list[bool]:
    """Feed four reports a second of 2.5 kB packets, the first one after every other keyframe a burst."""
    woken = []
    for quarter in range(from_s * 4, until_s * 4):
        at_us = quarter * SECOND_US // 4
        if activity.is_awake(at_us):
            continue
        size = burst if quarter % 8 == 0 else 2500
        woken.append(activity.note_sizes([(at_us + n * 30_000, size) for n in range(8)]))
    return woken


def test_an_encoder_that_refines_a_still_picture_wakes_nobody_twice() -> None:
    activity = Activity()

    first = bursts(activity, from_s=1, until_s=60)
    later = bursts(activity, from_s=60, until_s=360)

    assert sum(first) == 1
    assert not any(later)
    assert activity.note_sizes([(360 * SECOND_US, 16_000)]), "a larger burst is a sign all the same"


def test_what_woke_in_vain_is_forgotten_with_time() -> None:
    activity = Activity()
    bursts(activity, from_s=1, until_s=60)

    assert any(bursts(activity, from_s=60, until_s=60 + 7200))


def test_packets_that_led_to_a_track_are_a_sign_again() -> None:
    activity = Activity()
    bursts(activity, from_s=1, until_s=2)
    bursts(activity, from_s=2, until_s=12, burst=2500)

    assert bursts(activity, from_s=12, until_s=13)[0]
    activity.note_track(13 * SECOND_US)
    bursts(activity, from_s=17, until_s=24, burst=2500)

    assert bursts(activity, from_s=24, until_s=25)[0]


def test_a_change_where_nobody_watches_wakes_nobody() -> None:
    activity = Activity()
    watched = np.ones((GREY_HEIGHT, GREY_WIDTH), dtype=np.bool_)
    watched[:, :80] = False
    activity.watch_only(watched)
    empty = np.full((GREY_HEIGHT, GREY_WIDTH), 100, dtype=np.uint8)
    flag, person = empty.copy(), empty.copy()
    flag[10:40, 10:40] = 200
    person[10:40, 100:130] = 200

    activity.note_picture(empty, 0)

    assert not activity.note_picture(flag, 1_000_000)
    assert activity.note_picture(person, 2_000_000)
