"""Layouts that are not ours are named."""

import pytest

from omma_engine.detect.layout import TensorInfo, read_layout
from omma_engine.errors import ModelLayoutError

IMAGE = TensorInfo("images", "tensor(float)", (1, 3, 64, 64))
HEAD = TensorInfo("output0", "tensor(float)", (1, 6, 49))
NAMES = {"names": "{0: 'red', 1: 'green'}", "task": "detect"}


def test_a_good_layout_is_read() -> None:
    layout = read_layout([IMAGE], [HEAD], NAMES)

    assert (layout.size_wh, layout.labels, layout.max_batch) == ((64, 64), ("red", "green"), 1)


def test_a_free_size_comes_from_the_metadata() -> None:
    free = TensorInfo("images", "tensor(float)", ("batch", 3, "height", "width"))
    head = TensorInfo("output0", "tensor(float)", ("batch", 6, "anchors"))

    layout = read_layout([free], [head], {**NAMES, "imgsz": "[320, 640]"})

    assert (layout.size_wh, layout.max_batch) == ((640, 320), 8)


def image(kind: str = "tensor(float)", *shape: int | str) -> TensorInfo:
    return TensorInfo("x", kind, shape or (1, 3, 64, 64))


def output(*shape: int | str, name: str = "output0") -> TensorInfo:
    return TensorInfo(name, "tensor(float)", shape)


@pytest.mark.parametrize(
    ("inputs", "outputs", "metadata", "problem"),
    [
        (
            [IMAGE],
            [HEAD],
            {**NAMES, "task": "depth"},
            "metadata task: expected one of detect, classify, segment, pose, obb, got 'depth'",
        ),
        ([], [HEAD], NAMES, "inputs: expected exactly one, got 0 (none)"),
        (
            [IMAGE],
            [output(1, 6, 49), output(1, 6, 7), output(1, 6, 9)],
            NAMES,
            "outputs: expected one with 3 dimensions for detect, got "
            "output0 (1, 6, 49), output0 (1, 6, 7), output0 (1, 6, 9)",
        ),
        ([image("tensor(uint8)")], [HEAD], NAMES, "input x: expected float32 or float16, got tensor(uint8)"),
        ([image("tensor(float)", 1, 64)], [HEAD], NAMES, "input x: expected 4 dimensions, got 2"),
        (
            [image("tensor(float)", 1, 64, 64, 3)],
            [HEAD],
            NAMES,
            "input x: expected 3 channels (RGB), got 64",
        ),
        (
            [image("tensor(float)", 4, 3, 64, 64)],
            [HEAD],
            NAMES,
            "input x: expected a batch of 1 or a free one, got 4",
        ),
        (
            [image("tensor(float)", 1, 3, 8, 64)],
            [HEAD],
            NAMES,
            "input x: expected a height of 32 to 2048 pixels, got 8",
        ),
        (
            [IMAGE],
            [output(1, 300, 9)],
            NAMES,
            "output output0 (1, 300, 9): no known head for detect with 2 classes; expected (B, 6, N) for "
            "ultralytics, (B, N, 6) for end-to-end, or (B, N, 7) for yolov5 and yolox",
        ),
        (
            [IMAGE],
            [HEAD],
            {**NAMES, "task": "obb"},
            "output output0 (1, 6, 49): no known head for obb with 2 classes and 1 more a box; expected "
            "(B, 7, N) for ultralytics, (B, N, 7) for end-to-end, or (B, N, 8) for yolov5 and yolox",
        ),
        (
            [IMAGE],
            [HEAD],
            {**NAMES, "task": "segment"},
            "outputs: expected boxes (3 dimensions) and prototypes (4 dimensions) for segment, "
            "got output0 (1, 6, 49)",
        ),
        ([IMAGE], [HEAD], {**NAMES, "task": "pose"}, "metadata kpt_shape: expected it, and it is absent"),
        (
            [IMAGE],
            [HEAD],
            {**NAMES, "task": "pose", "kpt_shape": "[17, 9]"},
            "metadata kpt_shape: expected [points, 2 or 3]",
        ),
        (
            [IMAGE],
            [output(1, 5)],
            {**NAMES, "task": "classify"},
            "output output0: expected 2 classes, got 5",
        ),
        (
            [IMAGE],
            [HEAD],
            {**NAMES, "task": "classify"},
            "outputs: expected one with 2 dimensions for classify, got output0 (1, 6, 49)",
        ),
        (
            [IMAGE],
            [output(1, 9, 7, name="logits"), output(1, 9, 4, name="pred_boxes")],
            NAMES,
            "output logits: expected 2 or 3 logits for 2 classes, got 7",
        ),
        (
            [IMAGE],
            [output(1, 9, 3, name="logits"), output(1, 9, 5, name="pred_boxes")],
            NAMES,
            "outputs: expected logits and boxes with 4 numbers for detr, "
            "got logits (1, 9, 3), pred_boxes (1, 9, 5)",
        ),
        ([IMAGE], [HEAD], {"task": "detect"}, "metadata names: expected it, and it is absent"),
        (
            [IMAGE],
            [HEAD],
            {"names": "__import__('os')"},
            "metadata names: cannot be read as a Python literal",
        ),
        (
            [IMAGE],
            [HEAD],
            {"names": "{0: 'a', 2: 'b'}"},
            "metadata names: expected the numbers 0 to 1, each once",
        ),
        (
            [IMAGE],
            [HEAD],
            {"names": "{'a': 'a', 1: 'b'}"},
            "metadata names: expected the numbers 0 to 1, each once",
        ),
    ],
)
def test_a_wrong_layout_says_what_is_wrong(
    inputs: list[TensorInfo], outputs: list[TensorInfo], metadata: dict[str, str], problem: str
) -> None:
    with pytest.raises(ModelLayoutError) as refusal:
        read_layout(inputs, outputs, metadata)

    assert str(refusal.value) == problem
