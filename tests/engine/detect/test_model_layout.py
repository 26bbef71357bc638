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


@pytest.mark.parametrize(
    ("inputs", "outputs", "metadata", "problem"),
    [
        ([IMAGE], [HEAD], {**NAMES, "task": "segment"}, "metadata task: expected 'detect', got 'segment'"),
        ([], [HEAD], NAMES, "inputs: expected exactly one, got 0 (none)"),
        ([IMAGE], [HEAD, HEAD], NAMES, "outputs: expected exactly one, got 2 (output0, output0)"),
        (
            [TensorInfo("x", "tensor(float16)", (1, 3, 64, 64))],
            [HEAD],
            NAMES,
            "input x: expected float32, got tensor(float16)",
        ),
        ([TensorInfo("x", "tensor(float)", (1, 64))], [HEAD], NAMES, "input x: expected 4 dimensions, got 2"),
        (
            [TensorInfo("x", "tensor(float)", (1, 64, 64, 3))],
            [HEAD],
            NAMES,
            "input x: expected 3 channels (RGB), got 64",
        ),
        (
            [TensorInfo("x", "tensor(float)", (4, 3, 64, 64))],
            [HEAD],
            NAMES,
            "input x: expected a batch of 1 or a free one, got 4",
        ),
        (
            [TensorInfo("x", "tensor(float)", (1, 3, 8, 64))],
            [HEAD],
            NAMES,
            "input x: expected a height of 32 to 2048 pixels, got 8",
        ),
        (
            [IMAGE],
            [TensorInfo("output0", "tensor(float)", (1, 300, 6))],
            NAMES,
            "output output0: expected 6 rows (4 and 2 classes), got 300",
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
    ],
)
def test_a_wrong_layout_says_what_is_wrong(
    inputs: list[TensorInfo], outputs: list[TensorInfo], metadata: dict[str, str], problem: str
) -> None:
    with pytest.raises(ModelLayoutError) as refusal:
        read_layout(inputs, outputs, metadata)

    assert str(refusal.value) == problem
