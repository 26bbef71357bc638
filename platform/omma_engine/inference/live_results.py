"""What goes out on the bus for each analysed picture: boxes with what else the model knows of them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from omma_engine.detect.base import Detections
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.track.lives import NumberedBox

_OUTLINE_POINTS = 32
_COARSE_PX = (1.5, 3.0, 6.0, 12.0)  # how far an outline may be simplified, tried in this order
_KMH = 3.6

News = dict[str, Any]


def live_message(
    spec: AnalyticSpec, picture: PictureToAnalyse, boxes: Sequence[NumberedBox], found: Detections
) -> News:
    """Return the message for whoever watches; `found` is what the boxes' tracker was given."""
    height, width = picture.picture.shape[:2]
    message: News = {
        "stream_id": str(spec.stream_id),
        "analytic_id": str(spec.analytic_id),
        "capture_us": picture.capture_us,
        "width": picture.size_wh[0],
        "height": picture.size_wh[1],
        "motion": round(found.heat, 4),
        "boxes": [_live_box(box, found, (width, height)) for box in boxes],
    }
    if spec.counting is not None:
        message["counts"] = dict(Counter(box.box.label for box in boxes))
    return message


def _live_box(box: NumberedBox, found: Detections, size_wh: tuple[int, int]) -> News:
    live: News = {
        "label": box.box.label,
        "confidence": round(box.box.confidence, 3),
        "track": box.track.number if box.track else None,
        "box": list(box.box_norm),
    }
    if found.outlines is not None:
        live["outline"] = _outline(found.outlines[box.box.index], size_wh)
    if found.keypoints is not None:
        live["keypoints"] = _keypoints(found.keypoints[box.box.index], size_wh)
    if box.track is not None and box.track.course.speed_ms is not None:
        live["speed_kmh"] = round(box.track.course.speed_ms * _KMH, 1)
    return live


def _outline(points: "np.ndarray[Any, Any]", size_wh: tuple[int, int]) -> list[list[float]]:
    """Return an outline in parts of the picture, of few points: every frame carries it."""
    outline = points
    for coarse_px in _COARSE_PX:
        if len(outline) <= _OUTLINE_POINTS:
            break
        outline = cv2.approxPolyDP(points.reshape(-1, 1, 2), coarse_px, closed=True).reshape(-1, 2)
    parts = np.clip(outline[: 2 * _OUTLINE_POINTS] / np.array(size_wh, dtype=np.float32), 0, 1)
    return [[round(float(x), 4), round(float(y), 4)] for x, y in parts]


def _keypoints(points: "np.ndarray[Any, Any]", size_wh: tuple[int, int]) -> list[list[float]]:
    """Return keypoints in parts of the picture, each with how sure it is."""
    width, height = size_wh
    return [
        [round(float(x) / width, 4), round(float(y) / height, 4), round(float(sure), 3)]
        for x, y, sure in points
    ]
