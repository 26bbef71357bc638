"""Boxes and pictures: scaling, clipping and thinning out."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Picture


def shrink_to_width(picture: Picture, width: int) -> tuple[Picture, float]:
    """Return the picture at most `width` wide, and the factor by which it was scaled (≤ 1).

    The result is the same array where nothing had to be done.
    """
    height_now, width_now = picture.shape[:2]
    if width_now <= width:
        return picture, 1.0
    factor = width / width_now
    size_wh = (width, max(1, round(height_now * factor)))
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8), factor


def clip_boxes(boxes_xyxy: Boxes, *, size_wh: tuple[int, int]) -> Boxes:
    """Return the boxes cut at the picture's edges, as a new `(N, 4)` float32 array."""
    width, height = size_wh
    limits = np.array([width, height, width, height], dtype=np.float32)
    return np.clip(boxes_xyxy, 0, limits).astype(np.float32)


def surviving_boxes(
    boxes_xyxy: Boxes,
    scores: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    *,
    score_floor: float,
    overlap: float,
) -> npt.NDArray[np.int64]:
    """Return the indices left after non-maximum suppression within each class, best first.

    `overlap` is the intersection over union above which the weaker of two boxes goes.
    """
    if len(boxes_xyxy) == 0:
        return np.zeros(0, dtype=np.int64)
    boxes_xywh = boxes_xyxy.copy()
    boxes_xywh[:, 2:] -= boxes_xywh[:, :2]
    boxes_xywh[:, :2] -= boxes_xywh[:, :2].min()  # it keeps classes apart by the largest coordinate
    # The stubs know lists only; the function takes arrays, many times faster.
    suppress: Callable[..., Any] = cv2.dnn.NMSBoxesBatched
    kept = suppress(boxes_xywh, scores, classes.astype(np.int32), score_floor, overlap)
    return np.asarray(kept, dtype=np.int64).reshape(-1)


def drop_contained(boxes_xyxy: Boxes, *, share: float) -> npt.NDArray[np.bool_]:
    """Return an `(N,)` mask that drops each box that lies by `share` or more in an earlier, kept one."""
    keep = np.ones(len(boxes_xyxy), dtype=np.bool_)
    areas = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
    for index in range(1, len(boxes_xyxy)):
        earlier = boxes_xyxy[:index][keep[:index]]
        low = np.maximum(earlier[:, :2], boxes_xyxy[index, :2])
        high = np.minimum(earlier[:, 2:], boxes_xyxy[index, 2:])
        inside = np.prod(np.clip(high - low, 0, None), axis=1)
        keep[index] = not bool(np.any(inside >= share * areas[index]))
    return keep
