"""One analytic at work on given detections: regions, zones, sizes, speeds, counts, outlines and keypoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from omma_engine.detect.base import Detections
from omma_engine.detect.spec import ModelSpec
from omma_engine.errors import RegionError
from omma_engine.inference.counting import CountingSpec
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.runner import AnalyticRunner
from omma_engine.inference.spec import decode_analytic, encode_analytic
from omma_engine.rules import GroundPlane, Region
from tests.engine.inference.driver import analytic

MODEL = ModelSpec(version_id="shapes-1", file="shapes.onnx")
SIZE_WH = (640, 360)
STEP_US = 200_000
LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))

RunnerMaker = Callable[..., AnalyticRunner]
News = dict[str, Any]


@pytest.fixture
def make_runner(tmp_path: Path) -> RunnerMaker:
    """Return what makes a runner, of a spec that has been through JSON."""

    def make(**changes: Any) -> AnalyticRunner:
        spec = decode_analytic(encode_analytic(analytic(1, MODEL, **changes)))
        return AnalyticRunner(spec, pictures=PictureStore(tmp_path))

    return make


def picture(index: int, size_wh: tuple[int, int] = SIZE_WH) -> PictureToAnalyse:
    blank = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)
    return PictureToAnalyse(UUID(int=1), index * STEP_US, blank, size_wh, is_quiet=False)


def found(*left_edges: float, **changes: Any) -> Detections:
    boxes = np.array([(x, 100, x + 60, 250) for x in left_edges], dtype=np.float32).reshape(-1, 4)
    values: dict[str, Any] = {"scores": np.full(len(boxes), 0.8, dtype=np.float32), **changes}
    return Detections(boxes, labels=("person",) * len(boxes), **values)


def walk(runner: AnalyticRunner, frames: list[Detections]) -> tuple[list[News], list[News]]:
    """Return all news, and the live messages."""
    news, live = [], []
    for index, item in enumerate(frames, start=1):
        outcome = runner.take(picture(index), item)
        news += outcome.news
        live.append(outcome.live)
    return news + runner.finish(), live


def closed(news: list[News]) -> News:
    (track,) = [one for one in news if one["kind"] == "track_close"]
    return track


def test_a_track_knows_the_zones_it_stood_in_in_their_order(make_runner: RunnerMaker) -> None:
    runner = make_runner(regions=(Region(RIGHT_HALF, "road"), Region(LEFT_HALF)))

    news, _ = walk(runner, [found(100 + 20 * step) for step in range(20)])

    assert closed(news)["zones"] == ["2", "road"]
    assert closed(news)["top_speed_kmh"] is None


def test_sizes_are_the_smallest_and_largest_share_of_the_picture(make_runner: RunnerMaker) -> None:
    runner = make_runner()
    small = Detections(
        np.array([[10, 10, 74, 82]], dtype=np.float32), np.array([0.9], np.float32), ("person",)
    )
    large = Detections(
        np.array([[10, 10, 138, 154]], dtype=np.float32), np.array([0.9], np.float32), ("person",)
    )

    news, _ = walk(runner, [small] * 3 + [large] * 3)

    assert closed(news)["size_min"] == pytest.approx(0.02, abs=1e-3)
    assert closed(news)["size_max"] == pytest.approx(0.08, abs=1e-3)


def test_regions_in_pixels_are_those_of_the_streams_own_picture(make_runner: RunnerMaker) -> None:
    left_half = Region(((0, 0), (960, 0), (960, 1080), (0, 1080)), is_pixels=True)
    runner = make_runner(regions=(left_half,), min_confidence=0.4)

    outcome = runner.take(picture(1, (1920, 1080)), found(100, 500))

    assert [box["box"][0] for box in outcome.live["boxes"]] == [pytest.approx(100 / 640, abs=1e-4)]


def test_a_region_outside_the_picture_is_named(make_runner: RunnerMaker) -> None:
    runner = make_runner(regions=(Region(((0, 0), (4000, 0), (4000, 100)), "gate", is_pixels=True),))

    with pytest.raises(RegionError, match=r"region gate: point 2 .* outside the picture of 640 x 360"):
        runner.take(picture(1), found(100))


def test_speed_is_measured_on_the_ground(make_runner: RunnerMaker) -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    plane = GroundPlane(corners, ((0, 0), (64, 0), (64, 36), (0, 36)))  # ten pixels a metre
    runner = make_runner(plane=plane)

    news, live = walk(runner, [found(100 + 4 * step) for step in range(20)])

    assert live[-1]["boxes"][0]["speed_kmh"] == pytest.approx(7.2, abs=0.4)  # 0.4 m in 0.2 s
    assert closed(news)["top_speed_kmh"] == pytest.approx(7.2, abs=0.6)


def test_outlines_and_keypoints_stay_with_their_box(make_runner: RunnerMaker) -> None:
    runner = make_runner(labels=frozenset({"person"}))
    circle = np.array(
        [(30 + 20 * np.cos(angle), 30 + 20 * np.sin(angle)) for angle in np.linspace(0, 6.2, 200)], np.float32
    )
    square = np.array([[500, 100], [560, 100], [560, 250], [500, 250]], dtype=np.float32)
    points = np.array([[[64, 36, 0.5]], [[320, 180, 0.9]]], dtype=np.float32)
    seen = found(
        20, 500, outlines=(circle, square), keypoints=points, scores=np.array([0.7, 0.9], np.float32)
    )

    _, live = walk(runner, [seen] * 3)

    by_left = sorted(live[-1]["boxes"], key=lambda box: box["box"][0])
    assert len(by_left[0]["outline"]) <= 32
    assert by_left[1]["outline"][0] == [
        pytest.approx(500 / 640, abs=1e-3),
        pytest.approx(100 / 360, abs=1e-3),
    ]
    assert [box["keypoints"] for box in by_left] == [[[0.1, 0.1, 0.5]], [[0.5, 0.5, 0.9]]]
    assert all(box["track"] is not None for box in by_left)


def test_counting_tells_how_many_stand_where(make_runner: RunnerMaker, tmp_path: Path) -> None:
    counting = CountingSpec(at_least=2, probes=2, period_s=0.5, coordinates=True, overview=True)
    runner = make_runner(regions=(Region(LEFT_HALF, "queue"), Region(RIGHT_HALF)), counting=counting)

    news, live = walk(runner, [found(100, 200, 450)] * 6 + [found(100)] * 2)

    results = [one for one in news if one["kind"] == "result"]
    assert [(one["phase"], one["is_told"]) for one in results] == [
        ("start", True), ("period", True), ("end", False),
    ]  # fmt: skip
    assert (results[0]["count"], results[0]["counts"]) == (3, {"person": 3})
    assert results[0]["regions"] == [{"name": "queue", "count": 2}, {"name": "2", "count": 1}]
    assert len(results[0]["coordinates"]) == 3
    assert (tmp_path / results[0]["image"]).read_bytes().startswith(b"\xff\xd8\xff")
    assert live[0]["counts"] == {"person": 3}
