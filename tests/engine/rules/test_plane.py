"""From the picture to the ground and what makes no calibration."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma_engine.rules import GroundPlane, decode_plane, encode_plane, plane_problem

ROAD = ((0.4, 0.5), (0.6, 0.5), (0.9, 1.0), (0.1, 1.0))  # a road that goes away from the camera
METRES = ((0.0, 40.0), (8.0, 40.0), (8.0, 0.0), (0.0, 0.0))


def test_the_points_given_are_met() -> None:
    plane = decode_plane(encode_plane(GroundPlane(ROAD, METRES)))

    for seen, wanted in zip(ROAD, METRES, strict=True):
        assert plane.on_ground(seen) == pytest.approx(wanted, abs=1e-6)


def test_what_is_far_away_is_more_metres_a_pixel() -> None:
    plane = GroundPlane(ROAD, METRES)
    far, near = plane.on_ground((0.5, 0.55)), plane.on_ground((0.5, 0.95))
    farther, nearer = plane.on_ground((0.5, 0.5)), plane.on_ground((0.5, 1.0))
    assert far is not None
    assert near is not None
    assert farther is not None
    assert nearer is not None

    assert farther[1] - far[1] > 3 * (near[1] - nearer[1])


def test_the_sky_is_nowhere_on_the_ground() -> None:
    assert GroundPlane(ROAD, METRES).on_ground((0.5, 0.05)) is None


@pytest.mark.parametrize(
    ("picture", "metres", "problem"),
    [
        (ROAD[:3], METRES, "expected 4 points"),
        (((0, 0), (0.5, 0.5), (1, 1), (0, 1)), METRES, "in the picture lie on one line"),
        (ROAD, ((0, 0), (1, 1), (2, 2), (0, 5)), "on the ground lie on one line"),
        (((0.4, 0.5), (0.6, 0.5), (0.9, 1.5), (0.1, 1.0)), METRES, "0 to 1"),
        (ROAD, ((0, 0), (1e9, 0), (1, 1), (0, 1)), "at most"),
        (ROAD, (METRES[1], METRES[0], METRES[2], METRES[3]), "not in the order"),
        (ROAD, METRES, ""),
    ],
)
def test_a_bad_calibration_is_named(
    picture: tuple[tuple[float, float], ...], metres: tuple[tuple[float, float], ...], problem: str
) -> None:
    found = plane_problem(picture, metres)

    assert problem in found if problem else found == ""


side = st.floats(0, 1)


@settings(deadline=None)
@given(points=st.lists(st.tuples(side, side), min_size=4, max_size=4), point=st.tuples(side, side))
def test_whatever_is_accepted_can_be_used(
    points: list[tuple[float, float]], point: tuple[float, float]
) -> None:
    if plane_problem(points, METRES) == "":
        GroundPlane(tuple(points), METRES).on_ground(point)
