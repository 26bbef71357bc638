"""What a model file's inputs and outputs mean, read from its metadata and shapes.

One input, float `(B, 3, H, W)`. The task stands in the metadata (`task`) or follows from the outputs; with C
classes, and E numbers a box beside them (K keypoints x D, 32 mask coefficients, one angle), the heads are:

| head | output | boxes |
| --- | --- | --- |
| ultralytics (v8, v11, v5u …) | `(B, 4 + C + E, N)` | centre, size in pixels of the input, a score a class |
| end-to-end (v10, 26, exported with NMS) | `(B, N, 6 + E)` | corners in pixels, score, class |
| yolov5 (v5, v7) | `(B, N, 5 + C + E)`, 3 anchors a cell | centre, size in pixels, objectness, scores |
| yolox | `(B, N, 5 + C)`, one a cell | offsets from cells, objectness, scores; BGR 0-255 |
| rt-detr | `(B, N, 4 + C)` or `(B, N, 6)` | centre, size in parts of the picture, scores or score and class |
| detr | `(B, N, C [+ 1])` and `(B, N, 4)` | logits (the last one for nothing), centre and size in parts |
| classes | `(B, C)` | none: one score a class |

Segmentation adds an output of prototypes `(B, 32, h, w)`; oriented boxes have centre, size and angle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omma_engine.detect.heads import Head, HeadShape, recognise_head
from omma_engine.detect.metadata import keypoint_shape, labels_in, shown_task, size_in
from omma_engine.detect.spec import ModelTask
from omma_engine.detect.tensors import TensorInfo
from omma_engine.errors import ModelLayoutError

__all__ = ["Head", "ModelLayout", "ModelTask", "TensorInfo", "read_image", "read_layout"]

MIN_SIDE_PX, MAX_SIDE_PX = 32, 2048
MAX_BATCH = 8
_FLOATS = {"tensor(float)": False, "tensor(float16)": True}


@dataclass(frozen=True, slots=True)
class ModelLayout:
    """A layout that was checked. `max_batch` is 1 where the model's batch is fixed.

    `outputs` names what the head reads, in its order. `keypoints` is `(K, D)`, or zeros.
    """

    task: ModelTask
    head: Head
    input_name: str
    outputs: tuple[str, ...]
    size_wh: tuple[int, int]
    labels: tuple[str, ...]
    max_batch: int
    keypoints: tuple[int, int] = (0, 0)
    is_half: bool = False


def read_layout(
    inputs: Sequence[TensorInfo],
    outputs: Sequence[TensorInfo],
    metadata: Mapping[str, str],
    *,
    labels: Sequence[str] = (),
) -> ModelLayout:
    """Return the layout, or raise `ModelLayoutError` that names what is wrong.

    `labels` are used where the metadata have no `names`.
    """
    image, size_wh, is_half = read_image(inputs, metadata)
    keypoints = keypoint_shape(metadata)
    names = labels_in(metadata, labels)
    shape = HeadShape(
        size_wh=size_wh,
        classes=len(names) if names else None,
        keypoints=keypoints,
        is_rt_detr=metadata.get("head") == "RTDETRDecoder"
        or "rtdetr" in metadata.get("description", "").lower(),
        has_decoder_name="head" in metadata,
        has_nms=metadata.get("end2end", "") == "True" or "'nms': True" in metadata.get("args", ""),
    )
    found = recognise_head(shown_task(metadata), outputs, shape)
    if not names:
        names = tuple(f"class {number}" for number in range(found.classes))
    return ModelLayout(
        task=found.task,
        head=found.head,
        input_name=image.name,
        outputs=found.outputs,
        size_wh=size_wh,
        labels=names,
        max_batch=_max_batch(image, outputs),
        keypoints=keypoints if found.task is ModelTask.POSE else (0, 0),
        is_half=is_half,
    )


def read_image(
    inputs: Sequence[TensorInfo], metadata: Mapping[str, str]
) -> tuple[TensorInfo, tuple[int, int], bool]:
    """Return the one input, its width and height, and whether it is in half precision."""
    image = _image_of(inputs)
    return image, _size_wh(image, metadata), _FLOATS[image.element_type]


def _image_of(inputs: Sequence[TensorInfo]) -> TensorInfo:
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs) or "none"
        raise ModelLayoutError(f"inputs: expected exactly one, got {len(inputs)} ({names})")
    image = inputs[0]
    if image.element_type not in _FLOATS:
        raise ModelLayoutError(f"input {image.name}: expected float32 or float16, got {image.element_type}")
    if len(image.shape) != 4:
        raise ModelLayoutError(f"input {image.name}: expected 4 dimensions, got {len(image.shape)}")
    if image.shape[1] != 3:
        raise ModelLayoutError(f"input {image.name}: expected 3 channels (RGB), got {image.shape[1]}")
    return image


def _size_wh(image: TensorInfo, metadata: Mapping[str, str]) -> tuple[int, int]:
    height, width = image.shape[2:]
    if not (isinstance(height, int) and isinstance(width, int)):
        height, width = size_in(metadata)
    for name, side in (("height", height), ("width", width)):
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
            raise ModelLayoutError(
                f"input {image.name}: expected a {name} of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels, got {side}"
            )
    return width, height


def _max_batch(image: TensorInfo, outputs: Sequence[TensorInfo]) -> int:
    first = image.shape[0]
    if isinstance(first, int) and first != 1:
        raise ModelLayoutError(f"input {image.name}: expected a batch of 1 or a free one, got {first}")
    is_fixed = any(isinstance(output.shape[0], int) for output in outputs if output.shape)
    return 1 if isinstance(first, int) or is_fixed else MAX_BATCH
