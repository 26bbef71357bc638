"""Models that say what a test wants: outputs of given values, whatever the picture."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def saying(
    outputs: Mapping[str, np.ndarray], metadata: Mapping[str, str], *, side: int = 64, is_half: bool = False
) -> bytes:
    """Return a model of pictures of `side` pixels whose outputs, without the batch, are these."""
    kind = TensorProto.FLOAT16 if is_half else TensorProto.FLOAT
    zero = np.zeros((), dtype=np.float16 if is_half else np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    constants, described = {"zero": zero}, []
    for name, value in outputs.items():
        constants[f"{name}_value"] = value[None].astype(zero.dtype)
        nodes.append(helper.make_node("Add", [f"{name}_value", "nothing"], [name]))
        described.append(helper.make_tensor_value_info(name, kind, [1, *value.shape]))
    graph = helper.make_graph(
        nodes,
        "said",
        [helper.make_tensor_value_info("images", kind, [1, 3, side, side])],
        described,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _file(graph, metadata)


def _file(graph: onnx.GraphProto, metadata: Mapping[str, str]) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    content: bytes = model.SerializeToString()
    return content
