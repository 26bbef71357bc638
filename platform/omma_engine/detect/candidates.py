"""From a head's numbers to boxes in pixels of the input, before they are thinned out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from omma_engine.detect.heads import Head, strides_of
from omma_engine.detect.layout import ModelLayout

Floats = npt.NDArray[np.float32]

_MOST = 3000  # boxes above the floor that go on, the best ones


@dataclass(frozen=True, slots=True)
class Candidates:
    """N boxes of one picture, centre and size `(N, 4)` in pixels of the input.

    `scores` `(N,)` are 0-1, `classes` `(N,)` numbers of labels, `extra` `(N, E)` what the head says beside
    them. `is_chosen`: the model has suppressed the weaker ones itself.
    """

    boxes_cxcywh: Floats
    scores: Floats
    classes: npt.NDArray[np.int64]
    extra: Floats
    is_chosen: bool


def read_candidates(layout: ModelLayout, outputs: list[Floats], *, score_floor: float) -> Candidates:
    """Return what one picture's outputs (without the batch) say, down to the floor."""
    match layout.head:
        case Head.ULTRALYTICS:
            found = _with_scores(outputs[0].T, layout, has_objectness=False)
        case Head.YOLOV5:
            found = _with_scores(outputs[0], layout, has_objectness=True)
        case Head.YOLOX:
            found = _with_scores(_off_the_grid(outputs[0], layout.size_wh), layout, has_objectness=True)
        case Head.RT_DETR:
            found = _with_scores(_scaled(outputs[0], layout.size_wh), layout, has_objectness=False)
        case Head.RT_DETR_CHOSEN:
            found = _with_class(_scaled(outputs[0], layout.size_wh))
        case Head.END_TO_END:
            found = _with_class(outputs[0] if layout.task == "obb" else _centred(outputs[0]))
        case _:
            found = _from_logits(outputs, layout)
    return _above(found, score_floor, classes=len(layout.labels))


def _with_scores(rows: Floats, layout: ModelLayout, *, has_objectness: bool) -> Candidates:
    """Read rows of box, perhaps objectness, a score a class, and the rest."""
    begin = 5 if has_objectness else 4
    end = begin + len(layout.labels)
    per_class = rows[:, begin:end]
    classes = per_class.argmax(axis=1)
    scores = per_class.max(axis=1)
    if has_objectness:
        scores = scores * rows[:, 4]
    is_chosen = layout.head is Head.RT_DETR
    return Candidates(rows[:, :4], scores, classes.astype(np.int64), rows[:, end:], is_chosen)


def _with_class(rows: Floats) -> Candidates:
    """Read rows of box, score, class, and the rest."""
    classes = np.nan_to_num(rows[:, 5], nan=-1.0, posinf=-1.0, neginf=-1.0).astype(np.int64)
    return Candidates(rows[:, :4], rows[:, 4], classes, rows[:, 6:], is_chosen=True)


def _from_logits(outputs: list[Floats], layout: ModelLayout) -> Candidates:
    """Read logits and boxes; with one logit more than labels, the last one stands for nothing."""
    logits, boxes = outputs
    if layout.head is Head.DETR:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely = (powers / powers.sum(axis=1, keepdims=True))[:, :-1]
    else:
        likely = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    classes = likely.argmax(axis=1).astype(np.int64)
    return Candidates(
        _scaled(boxes, layout.size_wh), likely.max(axis=1), classes, boxes[:, 4:], is_chosen=True
    )


def _off_the_grid(rows: Floats, size_wh: tuple[int, int]) -> Floats:
    """Return YOLOX' rows with boxes in pixels: they are offsets and logarithms, in units of strides."""
    grids, steps = [], []
    for stride in strides_of(size_wh, len(rows)):
        across, down = np.meshgrid(np.arange(size_wh[0] // stride), np.arange(size_wh[1] // stride))
        grids.append(np.stack([across.ravel(), down.ravel()], axis=1))
        steps.append(np.full(across.size, stride))
    step = np.concatenate(steps)[:, None].astype(np.float32)
    placed = rows.copy()
    placed[:, :2] = (rows[:, :2] + np.concatenate(grids)) * step
    placed[:, 2:4] = np.exp(np.clip(rows[:, 2:4], -20, 20)) * step
    return placed


def _scaled(rows: Floats, size_wh: tuple[int, int]) -> Floats:
    placed = rows.copy()
    placed[:, :4] *= np.array([*size_wh, *size_wh], dtype=np.float32)
    return placed


def _centred(rows: Floats) -> Floats:
    centred = rows.copy()
    centred[:, :2] = (rows[:, :2] + rows[:, 2:4]) / 2
    centred[:, 2:4] = rows[:, 2:4] - rows[:, :2]
    return centred


def _above(found: Candidates, floor: float, *, classes: int) -> Candidates:
    scores = np.nan_to_num(found.scores, nan=0.0, posinf=0.0, neginf=0.0)
    is_known = (found.classes >= 0) & (found.classes < classes)
    above = np.flatnonzero((scores >= floor) & is_known & np.isfinite(found.boxes_cxcywh).all(axis=1))
    if len(above) > _MOST:
        above = above[np.argsort(-scores[above])[:_MOST]]
    return Candidates(
        found.boxes_cxcywh[above].astype(np.float32),
        np.clip(scores[above], 0, 1).astype(np.float32),
        found.classes[above],
        found.extra[above].astype(np.float32),
        found.is_chosen,
    )
