"""Look into an ONNX file before anything runs it: sizes, domains, and no data outside of it.

ONNX Runtime and the onnx checker do not agree on external data in every place where a tensor can stand, so
every message of the file is walked, whatever field holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError, Message

from omma_engine.errors import UnsafeModelError

MAX_FILE_BYTES = 512 << 20
MAX_NODES = 20_000
MAX_GRAPH_DEPTH = 8
MAX_TENSOR_ELEMENTS = 1 << 28
_KNOWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What stands in the file."""

    nodes: int
    opset: int
    producer: str
    metadata: dict[str, str]


def inspect_model(content: bytes) -> ModelFacts:
    """Return the file's facts, or raise `UnsafeModelError` that says what is wrong with it."""
    if len(content) > MAX_FILE_BYTES:
        raise UnsafeModelError(f"expected at most {MAX_FILE_BYTES} bytes, got {len(content)}")
    model = _parse(content)
    _check_domains(model)
    nodes = 0
    for message, depth in _walk(model):
        if depth > MAX_GRAPH_DEPTH:
            raise UnsafeModelError(f"expected graphs at most {MAX_GRAPH_DEPTH} deep")
        if isinstance(message, onnx.NodeProto):
            nodes += 1
            _check_node(message, nodes)
        elif isinstance(message, onnx.TensorProto):
            _check_tensor(message)
    if nodes == 0:
        raise UnsafeModelError("expected a graph with nodes, got none")
    return ModelFacts(
        nodes=nodes,
        opset=max(item.version for item in model.opset_import),
        producer=model.producer_name[:100],
        metadata={item.key: item.value for item in model.metadata_props},
    )


def _parse(content: bytes) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError):
        raise UnsafeModelError("expected an ONNX file, and it cannot be read as one") from None
    if not model.opset_import or not model.HasField("graph"):
        raise UnsafeModelError("expected an ONNX file with a graph and an operator set")
    return model


def _check_domains(model: onnx.ModelProto) -> None:
    for item in model.opset_import:
        if item.domain not in _KNOWN_DOMAINS:
            raise UnsafeModelError(f"expected standard operators only, got the domain {item.domain[:60]!r}")
    if model.functions:
        raise UnsafeModelError("expected standard operators only, got functions of the file's own")
    if model.training_info:
        raise UnsafeModelError("expected a model to run, got training information")


def _check_node(node: onnx.NodeProto, count: int) -> None:
    if node.domain not in _KNOWN_DOMAINS:
        raise UnsafeModelError(
            f"expected standard operators only, got {node.domain[:60]!r}.{node.op_type[:60]}"
        )
    if count > MAX_NODES:
        raise UnsafeModelError(f"expected at most {MAX_NODES} nodes")


def _check_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise UnsafeModelError(f"expected all data in the file, got external data for {tensor.name[:60]!r}")
    elements = 1
    for side in tensor.dims:
        if side < 0:
            raise UnsafeModelError(f"expected sizes of at least 0, got {side} in {tensor.name[:60]!r}")
        elements *= side
    if elements > MAX_TENSOR_ELEMENTS:
        raise UnsafeModelError(
            f"expected at most {MAX_TENSOR_ELEMENTS} values, got {elements} in {tensor.name[:60]!r}"
        )


def _walk(root: Message) -> Iterator[tuple[Message, int]]:
    """Yield every message below `root` with how many graphs it lies within, without recursion."""
    stack: list[tuple[Message, int]] = [(root, 0)]
    while stack:
        message, depth = stack.pop()
        yield message, depth
        deeper = depth + isinstance(message, onnx.GraphProto)
        for field, value in message.ListFields():
            if field.type != field.TYPE_MESSAGE:
                continue
            children = value if field.is_repeated else [value]
            stack.extend((child, deeper) for child in children)
