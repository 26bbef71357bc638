"""A tiny detector of red and green squares, exported here in the layout of an Ultralytics detection head.

Convolutions average colours over windows of 16 pixels; a window that is all of one colour scores 1.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 64
WINDOW, STEP = 16, 8
CELLS = (SIDE - WINDOW) // STEP + 1
LABELS = ("red", "green")
METADATA = {"names": "{0: 'red', 1: 'green'}", "imgsz": f"[{SIDE}, {SIDE}]", "task": "detect"}


def tiny_model(*, batch: int | str = 1, metadata: dict[str, str] | None = None) -> onnx.ModelProto:
    """Return the model; `batch` is a number, or a name for a free batch."""
    weights = np.full((2, 3, WINDOW, WINDOW), -0.5 / WINDOW**2, dtype=np.float32)
    weights[0, 0] = weights[1, 1] = 1 / WINDOW**2
    constants = {
        "colour_weights": weights,
        "nothing": np.zeros((4, 3, WINDOW, WINDOW), dtype=np.float32),
        "grid": _grid(),
        "four": np.array(4, dtype=np.float32),
        "three": np.array(3, dtype=np.float32),
        "zero": np.array(0, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
        "shape": np.array([0, 6, -1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["images", "colour_weights"], ["purity"], strides=[STEP, STEP]),
        helper.make_node("Mul", ["purity", "four"], ["steep"]),
        helper.make_node("Sub", ["steep", "three"], ["shifted"]),
        helper.make_node("Clip", ["shifted", "zero", "one"], ["scores"]),
        helper.make_node("Conv", ["images", "nothing"], ["zeros"], strides=[STEP, STEP]),
        helper.make_node("Add", ["zeros", "grid"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "scores"], ["cells"], axis=1),
        helper.make_node("Reshape", ["cells", "shape"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch, 6, CELLS**2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, METADATA if metadata is None else metadata)
    return model


def tiny_bytes(**changes: object) -> bytes:
    """Return the model's file."""
    content: bytes = tiny_model(**changes).SerializeToString()  # type: ignore[arg-type]
    return content


def picture_with(*squares: tuple[str, int, int], side: int = SIDE, scale: int = 1) -> np.ndarray:
    """Return a dark BGR picture with squares of 16 pixels (times `scale`) at these corners."""
    picture = np.full((side * scale, side * scale, 3), 20, dtype=np.uint8)
    colours = {"red": (0, 0, 255), "green": (0, 255, 0)}
    for label, x, y in squares:
        picture[y * scale : (y + WINDOW) * scale, x * scale : (x + WINDOW) * scale] = colours[label]
    return picture


def _grid() -> np.ndarray:
    """Return `(1, 4, CELLS, CELLS)`: centre and size of each window in pixels of the input."""
    centres = np.arange(CELLS, dtype=np.float32) * STEP + WINDOW / 2
    grid = np.empty((1, 4, CELLS, CELLS), dtype=np.float32)
    grid[0, 0], grid[0, 1] = np.meshgrid(centres, centres)
    grid[0, 2:] = WINDOW
    return grid
