"""From candidates in a model's input to detections in the picture, by the model's task."""

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Detections, Points
from omma_engine.detect.candidates import Candidates, Floats
from omma_engine.detect.fitting import Placement
from omma_engine.detect.geometry import surviving_boxes
from omma_engine.detect.layout import ModelLayout
from omma_engine.detect.oriented import oriented_corners, surviving_oriented
from omma_engine.detect.settings import OnnxSettings
from omma_engine.detect.spec import ModelTask

_MOST = 300  # detections a picture
_MOST_OUTLINED = 100
_SURE_SUM = 0.01

Rows = npt.NDArray[np.int64]


def findings(
    layout: ModelLayout,
    candidates: Candidates,
    placement: Placement,
    settings: OnnxSettings,
    prototypes: Floats | None = None,
) -> Detections:
    """Return what stays of one picture's candidates, best first, in pixels of the picture.

    `prototypes` `(E, h, w)` are a segmentation's.
    """
    if layout.task is ModelTask.OBB:
        return _oriented(layout, candidates, placement, settings)
    boxes = _corners(candidates.boxes_cxcywh)
    kept = _survivors(boxes, candidates, settings)
    in_picture = placement.boxes_in_picture(boxes[kept])
    is_usable = (in_picture[:, 2:] > in_picture[:, :2] + 1).all(axis=1)
    kept, in_picture = kept[is_usable], in_picture[is_usable]
    outlines: tuple[Points, ...] | None = None
    keypoints: Floats | None = None
    if layout.task is ModelTask.SEGMENT and prototypes is not None:
        outlines = _outlines(boxes[kept], candidates.extra[kept], prototypes, layout, placement)
    if layout.task is ModelTask.POSE:
        keypoints = _keypoints(candidates.extra[kept], layout.keypoints, placement)
    return Detections(
        boxes_xyxy=in_picture,
        scores=candidates.scores[kept],
        labels=tuple(layout.labels[index] for index in candidates.classes[kept]),
        outlines=outlines,
        keypoints=keypoints,
    )


def class_findings(
    layout: ModelLayout, row: Floats, placement: Placement, settings: OnnxSettings
) -> Detections:
    """Return the classes `(C,)` above the floor, best first, each with a box around the whole picture."""
    likely = _likelihoods(row)
    order = [int(index) for index in np.argsort(-likely) if likely[index] >= settings.score_floor]
    width, height = placement.picture_wh
    return Detections(
        boxes_xyxy=np.tile(np.array([[0, 0, width, height]], dtype=np.float32), (len(order), 1)),
        scores=likely[order],
        labels=tuple(layout.labels[index] for index in order),
    )


def _likelihoods(row: Floats) -> Floats:
    """Return what adds up to 1: the row itself where it does, else what its logits mean."""
    values = np.nan_to_num(row.astype(np.float32), nan=-60.0, posinf=60.0, neginf=-60.0)
    if values.min() >= 0 and abs(float(values.sum()) - 1) < _SURE_SUM:
        return values
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)


def _corners(boxes_cxcywh: Boxes) -> Boxes:
    centre, half = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:4] / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def _survivors(boxes: Boxes, candidates: Candidates, settings: OnnxSettings) -> Rows:
    if candidates.is_chosen:
        return _best_first(candidates)
    kept = surviving_boxes(
        boxes,
        candidates.scores,
        candidates.classes,
        score_floor=settings.score_floor,
        overlap=settings.overlap,
    )
    return kept[:_MOST]


def _best_first(candidates: Candidates) -> Rows:
    return np.argsort(-candidates.scores, kind="stable")[:_MOST].astype(np.int64)


def _oriented(
    layout: ModelLayout, candidates: Candidates, placement: Placement, settings: OnnxSettings
) -> Detections:
    """Return boxes that enclose the oriented ones; the outlines are their four corners."""
    if candidates.is_chosen:
        kept = _best_first(candidates)
    else:
        kept = surviving_oriented(
            candidates.boxes_cxcywh,
            candidates.extra[:, 0],
            candidates.scores,
            candidates.classes,
            overlap=settings.overlap,
        )[:_MOST]
    boxes = candidates.boxes_cxcywh[kept]
    corners = placement.points_in_picture(oriented_corners(boxes, candidates.extra[kept, 0]))
    width, height = placement.picture_wh
    around = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    around = np.clip(around, 0, np.array([width, height, width, height])).astype(np.float32)
    usable = (around[:, 2:] > around[:, :2] + 1).all(axis=1)
    labels = [layout.labels[index] for index in candidates.classes[kept]]
    return Detections(
        boxes_xyxy=around[usable],
        scores=candidates.scores[kept][usable],
        labels=tuple(label for label, is_kept in zip(labels, usable, strict=True) if is_kept),
        outlines=tuple(corners[usable]),
    )


def _keypoints(extra: Floats, shape: tuple[int, int], placement: Placement) -> Floats:
    """Return `(N, K, 3)`: x and y in the picture, and how sure, 1 where the model does not say."""
    count, numbers = shape
    raw = extra.reshape(-1, count, numbers)
    points = np.ones((len(raw), count, 3), dtype=np.float32)
    points[:, :, :2] = placement.points_in_picture(raw[:, :, :2])
    if numbers == 3:
        points[:, :, 2] = raw[:, :, 2]
    return points


def _outlines(
    boxes: Boxes, coefficients: Floats, prototypes: Floats, layout: ModelLayout, placement: Placement
) -> tuple[Points, ...]:
    """Return each object's outline, its largest part; an empty one where the mask is empty."""
    width, height = layout.size_wh
    flat = prototypes.reshape(len(prototypes), -1)
    outlines: list[Points] = []
    for box, weights in zip(boxes[:_MOST_OUTLINED], coefficients, strict=False):
        small = (weights @ flat).reshape(prototypes.shape[1:])
        mask = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) > 0
        outlines.append(_outline(mask, box, placement))
    empty = np.zeros((0, 2), dtype=np.float32)
    return (*outlines, *([empty] * (len(boxes) - len(outlines))))


def _outline(mask: npt.NDArray[np.bool_], box: Boxes, placement: Placement) -> Points:
    height, width = mask.shape
    left, top = (
        int(np.clip(np.ceil(side), 0, limit)) for side, limit in zip(box[:2], (width, height), strict=True)
    )
    right, bottom = (
        int(np.clip(np.ceil(side), 0, limit)) for side, limit in zip(box[2:], (width, height), strict=True)
    )
    inside = np.ascontiguousarray(mask[top:bottom, left:right], dtype=np.uint8)
    if not inside.any():
        return np.zeros((0, 2), dtype=np.float32)
    parts, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(parts, key=cv2.contourArea).reshape(-1, 2)
    return placement.points_in_picture(largest.astype(np.float32) + np.array([left, top], dtype=np.float32))
