"""What an ONNX detector's inputs and outputs must look like: the layout of an Ultralytics detection head.

Input `images`, float32 `(B, 3, H, W)`, RGB in 0-1. Output `output0`, float32 `(B, 4 + classes, N)`: centre x,
centre y, width and height in pixels of the input, then one score (0-1) a class. The metadata hold `names` (a
Python dict of class numbers and names), `imgsz` (`[height, width]`) and `task` (`detect`).
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omma_engine.errors import ModelLayoutError

MIN_SIDE_PX, MAX_SIDE_PX = 32, 2048
MAX_CLASSES = 10_000
MAX_LABEL_LENGTH = 64
MAX_BATCH = 8


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output as the runtime describes it; a dimension that is no number is free."""

    name: str
    element_type: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True)
class DetectorLayout:
    """A layout that was checked. `max_batch` is 1 where the model's batch is fixed."""

    input_name: str
    output_name: str
    size_wh: tuple[int, int]
    labels: tuple[str, ...]
    max_batch: int


def read_layout(
    inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], metadata: Mapping[str, str]
) -> DetectorLayout:
    """Return the layout, or raise `ModelLayoutError` that names what is wrong."""
    _check_task(metadata)
    image = _only(inputs, "input", rank=4)
    head = _only(outputs, "output", rank=3)
    if image.shape[1] != 3:
        raise ModelLayoutError(f"input {image.name}: expected 3 channels (RGB), got {image.shape[1]}")
    labels = _labels(metadata)
    _check_head(head, len(labels))
    return DetectorLayout(
        input_name=image.name,
        output_name=head.name,
        size_wh=_size_wh(image, metadata),
        labels=labels,
        max_batch=_max_batch(image, head),
    )


def _only(tensors: Sequence[TensorInfo], what: str, *, rank: int) -> TensorInfo:
    if len(tensors) != 1:
        names = ", ".join(tensor.name for tensor in tensors) or "none"
        raise ModelLayoutError(f"{what}s: expected exactly one, got {len(tensors)} ({names})")
    tensor = tensors[0]
    if tensor.element_type != "tensor(float)":
        raise ModelLayoutError(f"{what} {tensor.name}: expected float32, got {tensor.element_type}")
    if len(tensor.shape) != rank:
        raise ModelLayoutError(f"{what} {tensor.name}: expected {rank} dimensions, got {len(tensor.shape)}")
    return tensor


def _check_task(metadata: Mapping[str, str]) -> None:
    task = metadata.get("task", "detect")
    if task != "detect":
        raise ModelLayoutError(f"metadata task: expected 'detect', got {task!r}")


def _check_head(head: TensorInfo, classes: int) -> None:
    rows = head.shape[1]
    if isinstance(rows, int) and rows != 4 + classes:
        raise ModelLayoutError(
            f"output {head.name}: expected {4 + classes} rows (4 and {classes} classes), got {rows}"
        )


def _labels(metadata: Mapping[str, str]) -> tuple[str, ...]:
    names = _literal(metadata, "names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or len(names) > MAX_CLASSES:
        raise ModelLayoutError("metadata names: expected a dict of class numbers and names")
    if sorted(names) != list(range(len(names))):
        raise ModelLayoutError(f"metadata names: expected the numbers 0 to {len(names) - 1}, each once")
    labels = tuple(str(names[index]) for index in range(len(names)))
    if any(not label or len(label) > MAX_LABEL_LENGTH or not label.isprintable() for label in labels):
        raise ModelLayoutError(
            f"metadata names: expected printable names of at most {MAX_LABEL_LENGTH} characters"
        )
    return labels


def _size_wh(image: TensorInfo, metadata: Mapping[str, str]) -> tuple[int, int]:
    height, width = image.shape[2:]
    if not (isinstance(height, int) and isinstance(width, int)):
        height, width = _size_from_metadata(metadata)
    for name, side in (("height", height), ("width", width)):
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
            raise ModelLayoutError(
                f"input {image.name}: expected a {name} of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels, got {side}"
            )
    return width, height


def _size_from_metadata(metadata: Mapping[str, str]) -> tuple[int, int]:
    value = _literal(metadata, "imgsz")
    sides = [value, value] if isinstance(value, int) else value
    if (
        not isinstance(sides, list | tuple)
        or len(sides) != 2
        or not all(isinstance(side, int) for side in sides)
    ):
        raise ModelLayoutError("metadata imgsz: expected [height, width], as the input's size is free")
    return sides[0], sides[1]


def _max_batch(image: TensorInfo, head: TensorInfo) -> int:
    first, last = image.shape[0], head.shape[0]
    if isinstance(first, int) and first != 1:
        raise ModelLayoutError(f"input {image.name}: expected a batch of 1 or a free one, got {first}")
    return 1 if isinstance(first, int) or isinstance(last, int) else MAX_BATCH


def _literal(metadata: Mapping[str, str], key: str) -> object:
    try:
        return ast.literal_eval(metadata[key])
    except KeyError:
        raise ModelLayoutError(f"metadata {key}: expected it, and it is absent") from None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ModelLayoutError(f"metadata {key}: cannot be read as a Python literal") from None
