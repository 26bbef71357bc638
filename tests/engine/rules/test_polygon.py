"""Polygons: which are good, and what lies inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma_engine.rules import contains, polygon_problem

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
unit = st.floats(0, 1, allow_nan=False)


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (((0, 0), (1, 1)), "expected at least 3 points, got 2"),
        (((0, 0), (1, 0), (2, 1)), "point 3: expected x and y of 0 to 1, got (2, 1)"),
        (((0, 0), (1, 0), (float("nan"), 1)), "point 3: expected x and y of 0 to 1, got (nan, 1)"),
        (((0, 0), (1, 1), (1, 0), (0, 1)), "expected an outline that does not cross itself"),
        (((0, 0), (0.5, 0), (1, 0)), "expected an outline that does not cross itself"),
        (((0, 0), (1, 0), (1, 0)), "expected different points, got one twice"),
        (tuple((index / 100, index / 100) for index in range(65)), "expected at most 64 points, got 65"),
    ],
)
def test_a_bad_polygon_is_told_what_is_wrong(points: tuple[tuple[float, float], ...], problem: str) -> None:
    assert polygon_problem(points) == problem


@pytest.mark.parametrize(
    "points",
    [SQUARE, SQUARE[::-1], SQUARE[:3], ((0, 0), (1, 0), (1, 1), (0.5, 0.2), (0, 1))],
)
def test_a_good_polygon_has_no_problem(points: tuple[tuple[float, float], ...]) -> None:
    assert polygon_problem(points) == ""


@given(x=unit, y=unit)
def test_a_square_holds_exactly_what_lies_within_its_sides(x: float, y: float) -> None:
    assert contains(SQUARE, (x, y)) == (0.2 <= x <= 0.8 and 0.2 <= y <= 0.8)


@given(x=unit, y=unit)
def test_the_direction_of_the_outline_makes_no_difference(x: float, y: float) -> None:
    dented = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))

    assert contains(dented, (x, y)) == contains(dented[::-1], (x, y))
