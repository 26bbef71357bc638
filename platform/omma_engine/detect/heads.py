"""Which head a model has, by the shapes of its outputs (`layout` has the table)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from omma_engine.detect.spec import ModelTask
from omma_engine.detect.tensors import TensorInfo
from omma_engine.errors import ModelLayoutError

_FLOATS = {"tensor(float)", "tensor(float16)"}
_STRIDES = ((8, 16, 32), (8, 16, 32, 64))
_MOST_CHOSEN = 1000  # boxes that a model with suppression inside gives


class Head(StrEnum):
    """How boxes stand in the outputs."""

    ULTRALYTICS = "ultralytics"
    END_TO_END = "end-to-end"
    YOLOV5 = "yolov5"
    YOLOX = "yolox"
    RT_DETR = "rt-detr"
    RT_DETR_CHOSEN = "rt-detr, chosen"
    DETR = "detr"
    DETR_SIGMOID = "detr, sigmoid"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class HeadShape:
    """What is known besides the outputs; `classes` is None where the file names none.

    `has_decoder_name`: the file names its decoder, as exports do since they choose boxes themselves.
    """

    size_wh: tuple[int, int]
    classes: int | None
    keypoints: tuple[int, int]
    is_rt_detr: bool
    has_decoder_name: bool
    has_nms: bool


@dataclass(frozen=True, slots=True)
class FoundHead:
    """What the outputs are."""

    task: ModelTask
    head: Head
    outputs: tuple[str, ...]
    classes: int


def recognise_head(task: ModelTask | None, outputs: Sequence[TensorInfo], shape: HeadShape) -> FoundHead:
    """Return the head; raise `ModelLayoutError` that names what was expected and what is there."""
    for output in outputs:
        if output.element_type not in _FLOATS:
            raise ModelLayoutError(
                f"output {output.name}: expected float32 or float16, got {output.element_type}"
            )
    ranks = [len(output.shape) for output in outputs]
    if task is ModelTask.CLASSIFY or (task is None and ranks == [2]):
        return _classes(outputs, ranks, shape)
    if ranks == [3, 3] and task in (None, ModelTask.DETECT):
        return _detr(outputs, shape)
    if task is ModelTask.SEGMENT or (task is None and sorted(ranks) == [3, 4]):
        return _segmentation(outputs, ranks, shape)
    task = task or (ModelTask.POSE if shape.keypoints[0] else ModelTask.DETECT)
    if ranks != [3]:
        raise ModelLayoutError(f"outputs: expected one with 3 dimensions for {task}, got {_names(outputs)}")
    return _boxes(task, outputs[0], outputs, _extra_of(task, shape), shape)


def cells_of(size_wh: tuple[int, int], strides: tuple[int, ...]) -> int:
    """Return how many cells the grids of these strides have together."""
    width, height = size_wh
    return sum((width // stride) * (height // stride) for stride in strides)


def strides_of(size_wh: tuple[int, int], rows: int) -> tuple[int, ...]:
    """Return the strides whose grids have so many cells together. Raises `ModelLayoutError`."""
    for strides in _STRIDES:
        if cells_of(size_wh, strides) == rows:
            return strides
    raise ModelLayoutError(f"expected one box a cell of {size_wh[0]} x {size_wh[1]}, got {rows} boxes")


def _classes(outputs: Sequence[TensorInfo], ranks: list[int], shape: HeadShape) -> FoundHead:
    if ranks != [2]:
        raise ModelLayoutError(
            f"outputs: expected one with 2 dimensions for {ModelTask.CLASSIFY}, got {_names(outputs)}"
        )
    count = outputs[0].shape[1]
    classes = count if shape.classes is None else shape.classes
    if not isinstance(classes, int):
        raise ModelLayoutError("metadata names: expected it, and it is absent")
    if isinstance(count, int) and count != classes:
        raise ModelLayoutError(f"output {outputs[0].name}: expected {classes} classes, got {count}")
    return FoundHead(ModelTask.CLASSIFY, Head.CLASSES, (outputs[0].name,), classes)


def _detr(outputs: Sequence[TensorInfo], shape: HeadShape) -> FoundHead:
    boxes = [output for output in outputs if output.shape[2] == 4]
    if len(boxes) == 2 and outputs[0].name != outputs[1].name:
        boxes = [output for output in outputs if "box" in output.name]
    if len(boxes) != 1:
        raise ModelLayoutError(
            f"outputs: expected logits and boxes with 4 numbers for detr, got {_names(outputs)}"
        )
    (logits,) = (output for output in outputs if output is not boxes[0])
    count = logits.shape[2]
    if not isinstance(count, int):
        raise ModelLayoutError(f"output {logits.name}: expected a fixed number of classes")
    classes = count if shape.classes is None else shape.classes
    if count not in (classes, classes + 1):
        raise ModelLayoutError(
            f"output {logits.name}: expected {classes} or {classes + 1} logits for {classes} classes, "
            f"got {count}"
        )
    head = Head.DETR if count == classes + 1 else Head.DETR_SIGMOID
    return FoundHead(ModelTask.DETECT, head, (logits.name, boxes[0].name), classes)


def _segmentation(outputs: Sequence[TensorInfo], ranks: list[int], shape: HeadShape) -> FoundHead:
    if sorted(ranks) != [3, 4]:
        raise ModelLayoutError(
            f"outputs: expected boxes (3 dimensions) and prototypes (4 dimensions) for {ModelTask.SEGMENT}, "
            f"got {_names(outputs)}"
        )
    boxes, prototypes = outputs[ranks.index(3)], outputs[ranks.index(4)]
    extra = prototypes.shape[1]
    if not isinstance(extra, int):
        raise ModelLayoutError(f"output {prototypes.name}: expected a fixed number of prototypes")
    return _boxes(ModelTask.SEGMENT, boxes, (boxes, prototypes), extra, shape)


def _extra_of(task: ModelTask, shape: HeadShape) -> int:
    if task is ModelTask.POSE:
        if not shape.keypoints[0]:
            raise ModelLayoutError("metadata kpt_shape: expected it, and it is absent")
        return shape.keypoints[0] * shape.keypoints[1]
    return 1 if task is ModelTask.OBB else 0


def _boxes(
    task: ModelTask, output: TensorInfo, outputs: Sequence[TensorInfo], extra: int, shape: HeadShape
) -> FoundHead:
    names = tuple(item.name for item in outputs)
    rows, columns = output.shape[1:]
    head = _flagged(columns, extra, shape) or _by_cells(rows, columns, task, extra, shape)
    if head is not None:
        return FoundHead(task, head, names, _class_count(head, columns, shape))
    if shape.classes is None:
        raise ModelLayoutError("metadata names: expected it, and it is absent")
    head = _by_columns(rows, columns, extra, shape.classes)
    if head is None:
        raise ModelLayoutError(_unknown(task, output, extra, shape.classes))
    return FoundHead(task, head, names, shape.classes)


def _flagged(columns: int | str | None, extra: int, shape: HeadShape) -> Head | None:
    """Return the head that the metadata name, where the shape is like it."""
    if shape.classes is None:
        return None
    if shape.is_rt_detr:
        if columns == 4 + shape.classes and not shape.has_decoder_name:
            return Head.RT_DETR
        return Head.RT_DETR_CHOSEN if columns == 6 else None
    return Head.END_TO_END if shape.has_nms and columns == 6 + extra else None


def _by_cells(
    rows: int | str | None, columns: int | str | None, task: ModelTask, extra: int, shape: HeadShape
) -> Head | None:
    """Return the head that has one or three anchors a cell; YOLOX files name no classes."""
    if not isinstance(rows, int) or not isinstance(columns, int):
        return None
    if shape.classes is not None and columns != 5 + shape.classes + extra:
        return None
    if columns < 6 + extra or columns >= rows:
        return None
    cells = {cells_of(shape.size_wh, strides) for strides in _STRIDES}
    if rows in cells and task is ModelTask.DETECT:
        return Head.YOLOX
    return Head.YOLOV5 if rows in {3 * count for count in cells} and shape.classes is not None else None


def _by_columns(rows: int | str | None, columns: int | str | None, extra: int, classes: int) -> Head | None:
    if rows == 4 + classes + extra:
        return Head.ULTRALYTICS
    if columns == 6 + extra and (not isinstance(rows, int) or rows <= _MOST_CHOSEN):
        return Head.END_TO_END
    return Head.YOLOV5 if columns == 5 + classes + extra else None


def _class_count(head: Head, columns: int | str | None, shape: HeadShape) -> int:
    if shape.classes is not None:
        return shape.classes
    return columns - 5 if head is Head.YOLOX and isinstance(columns, int) else 0


def _unknown(task: ModelTask, output: TensorInfo, extra: int, classes: int) -> str:
    beside = f" and {extra} more a box" if extra else ""
    return (
        f"output {output}: no known head for {task} with {classes} classes{beside}; expected "
        f"(B, {4 + classes + extra}, N) for ultralytics, (B, N, {6 + extra}) for end-to-end, "
        f"or (B, N, {5 + classes + extra}) for yolov5 and yolox"
    )


def _names(outputs: Sequence[TensorInfo]) -> str:
    return ", ".join(str(output) for output in outputs) or "none"
