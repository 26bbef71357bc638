"""A real small detector on a real video in which people walk through one by one."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest

from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.spec import ModelSpec
from omma_engine.inference.counting import CountingSpec
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.runner import AnalyticRunner
from omma_engine.rules import FrameRule, Region
from omma_engine.rules.conditions import CountInZone, Direction, LineCrossing
from tests.engine.inference.driver import analytic

TWO_VISITS_S = 48.0
GATE = ((0.75, 0.0), (0.75, 1.0))  # its left, from the top down, is the picture's right
LEAVING, COMING, NOBODY = (UUID(int=number) for number in (1, 2, 3))


def pictures(video: Path, *, rate_fps: int) -> Iterator[PictureToAnalyse]:
    with av.open(str(video)) as container:
        due_s = 0.0
        for frame in container.decode(video=0):
            if frame.time > TWO_VISITS_S:
                return
            if frame.time >= due_s:
                due_s += 1 / rate_fps
                picture = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                at_us = 1_000_000 + round(frame.time * 1e6)
                size_wh = (frame.width, frame.height)
                yield PictureToAnalyse(UUID(int=1), at_us, picture, size_wh, is_quiet=False)


@pytest.mark.shared
def test_each_visitor_is_counted_and_crosses_the_line_once_on_the_way_out(
    shared_dir: Path, tmp_path: Path
) -> None:
    detector = OnnxDetector((shared_dir / "models" / "fastestdet-coco.onnx").read_bytes())
    person = frozenset({"person"})
    spec = analytic(
        1,
        ModelSpec("fastestdet", file="fastestdet-coco.onnx"),
        labels=person,
        regions=(Region(((0.3, 0.0), (1.0, 0.0), (1.0, 1.0), (0.3, 1.0)), "hall"),),
        counting=CountingSpec(at_least=1, probes=3, period_s=1.0, coordinates=True),
        rules=(
            FrameRule(LEAVING, person, condition=LineCrossing(*GATE, Direction.TO_LEFT)),
            FrameRule(COMING, person, condition=LineCrossing(*GATE, Direction.TO_RIGHT)),
            FrameRule(NOBODY, person, min_duration_s=3.0, condition=CountInZone(at_most=0)),
        ),
    )
    runner = AnalyticRunner(spec, pictures=PictureStore(tmp_path))
    news: list[dict[str, Any]] = []
    for picture in pictures(shared_dir / "media" / "one-by-one-person-detection.mp4", rate_fps=5):
        (found,) = detector.detect([picture.picture], at_us=[picture.capture_us])
        news += runner.take(picture, found).news
    news += runner.finish()

    def of_kind(kind: str, **values: object) -> list[dict[str, Any]]:
        return [one for one in news if one["kind"] == kind and all(one[k] == v for k, v in values.items())]

    def started(rule: UUID) -> int:
        return len(of_kind("match", rule_id=str(rule), phase="start"))

    assert len(of_kind("result", phase="start")) == 2
    told = [one["at_us"] for one in of_kind("result", is_told=True)]
    assert min(later - earlier for earlier, later in pairwise(told)) >= 1_000_000
    assert (started(LEAVING), started(COMING)) == (2, 0)
    assert started(NOBODY) == 2  # before and between
    visitors = [track for track in of_kind("track_close") if track["hits"] > 30]
    assert [track["zones"] for track in visitors] == [["hall"], ["hall"]]
    assert all(track["size_max"] > 3 * track["size_min"] for track in visitors)
    assert all((tmp_path / track["crop"]).read_bytes().startswith(b"\xff\xd8\xff") for track in visitors)
