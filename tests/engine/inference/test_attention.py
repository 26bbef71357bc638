"""How often an analytic looks, and that what stands still is one thing all the while."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from omma_engine.detect.base import Detections
from omma_engine.detect.spec import ModelSpec
from omma_engine.inference.counting import CountingSpec
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.runner import AnalyticRunner
from omma_engine.rules import FrameRule
from omma_engine.rules.conditions import DwellTime, StandsStill
from tests.engine.inference.driver import MOTION, analytic

MODEL = ModelSpec(version_id="shapes-1", file="shapes.onnx")
SECOND_US = 1_000_000
STANDING, STAYING, THERE = (UUID(int=number) for number in (1, 2, 3))
RULES = (
    FrameRule(STANDING, condition=StandsStill(30.0)),
    FrameRule(STAYING, condition=DwellTime(40.0)),
    FrameRule(THERE),
)


class Scene:
    """Somebody walks in, stands still, and is at some time gone; what is looked at is counted."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.runner = AnalyticRunner(
            analytic(1, MODEL, rules=RULES, **changes), pictures=PictureStore(folder)
        )
        self.news: list[dict[str, Any]] = []
        self.looks: list[int] = []

    def show(self, at_us: int, x: float | None, *, is_quiet: bool) -> None:
        blank = np.zeros((360, 640, 3), dtype=np.uint8)
        picture = PictureToAnalyse(UUID(int=1), at_us, blank, (640, 360), is_quiet=is_quiet)
        if not self.runner.wants(picture):
            return
        self.looks.append(at_us)
        boxes = np.array([] if x is None else [(x, 100, x + 60, 250)], dtype=np.float32).reshape(-1, 4)
        scores = np.full(len(boxes), 0.8, dtype=np.float32)
        self.news += self.runner.take(picture, Detections(boxes, scores, ("person",) * len(boxes))).news

    def walk_in(self) -> int:
        """Return when the walk was over and twelve seconds of standing, in full view, have passed."""
        for fifth in range(15 + 60):
            self.show(fifth * 200_000, 100 + 10 * min(15, fifth), is_quiet=False)
        return 15 * SECOND_US

    def matches(self, rule: UUID) -> list[str]:
        return [one["phase"] for one in self.news if one["kind"] == "match" and one["rule_id"] == str(rule)]

    def tracks(self, phase: str) -> list[int]:
        return [one["number"] for one in self.news if one["kind"] == f"track_{phase}"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_stands_still_in_a_quiet_scene_is_looked_at_rarely_and_stays_one_track(scene: Scene) -> None:
    began_us = scene.walk_in()
    assert not scene.runner.is_following
    scene.looks.clear()

    for second in range(60):
        scene.show(began_us + second * SECOND_US, 250, is_quiet=True)

    assert len(scene.looks) == 11
    assert scene.tracks("open") == [0]
    assert scene.tracks("close") == []
    assert scene.matches(THERE)[0] == "start"
    assert set(scene.matches(THERE)[1:]) == {"update"}
    assert scene.matches(STANDING)[:1] == scene.matches(STAYING)[:1] == ["start"]


def test_a_thing_that_is_missed_is_looked_for_at_once_and_gone_in_the_end(scene: Scene) -> None:
    began_us = scene.walk_in()
    for second in range(10):
        scene.show(began_us + second * SECOND_US, 250, is_quiet=True)
    scene.looks.clear()
    gone_us = began_us + 10 * SECOND_US

    scene.show(gone_us, None, is_quiet=True)
    for second in range(1, 5):
        scene.show(gone_us + second * SECOND_US, 250 if second == 2 else None, is_quiet=True)
    assert len(scene.looks) == 3  # missed, missed, and found again
    assert scene.tracks("close") == []
    for second in range(5, 40):
        scene.show(gone_us + second * SECOND_US, None, is_quiet=True)

    assert scene.tracks("close") == [0]
    assert scene.matches(THERE)[-1] == "end"


def test_who_walks_again_is_followed_again(scene: Scene) -> None:
    began_us = scene.walk_in()
    scene.show(began_us + 5 * SECOND_US, 250, is_quiet=True)

    for fifth in range(5):
        scene.show(began_us + 6 * SECOND_US + fifth * 200_000, 250 + 10 * fifth, is_quiet=False)

    assert scene.runner.is_following
    assert scene.tracks("open") == [0]


def test_who_counts_looks_as_often_as_a_result_is_wanted(tmp_path: Path) -> None:
    scene = Scene(tmp_path, counting=CountingSpec(period_s=2.0, probes=1))

    for second in range(1, 41):
        scene.show(second * SECOND_US, None, is_quiet=True)

    assert len(scene.looks) == 20


def test_motion_in_its_mask_is_none(tmp_path: Path) -> None:
    left_half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    runner = AnalyticRunner(analytic(1, MOTION, mask=(left_half,)), pictures=PictureStore(tmp_path))
    boxes = np.array([(10, 10, 90, 90), (500, 10, 590, 90)], dtype=np.float32)
    found = Detections(boxes, np.array([0.9, 0.9], dtype=np.float32), ("motion", "motion"))
    blank = np.zeros((360, 640, 3), dtype=np.uint8)

    outcome = runner.take(PictureToAnalyse(UUID(int=1), 1, blank, (640, 360), is_quiet=False), found)

    assert [box["box"][0] > 0.5 for box in outcome.live["boxes"]] == [True]
