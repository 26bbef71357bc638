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
