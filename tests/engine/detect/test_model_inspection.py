"""Model files from strangers: refused before anything runs them, or tried where they can do no harm."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from omma_engine.detect import inspection
from omma_engine.detect.canary import check_model
from omma_engine.detect.inspection import inspect_model
from omma_engine.errors import DetectorError, ModelLayoutError, UnsafeModelError
from tests.engine.detect.tiny_onnx import METADATA, tiny_bytes, tiny_model


def test_a_harmless_file_is_described() -> None:
    facts = inspect_model(tiny_bytes())

    assert (facts.nodes, facts.opset, facts.metadata["task"]) == (8, 13, "detect")


def _external_data(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secrets/signing.key")


def _external_data_in_sparse(model: onnx.ModelProto) -> None:
    sparse = model.graph.sparse_initializer.add()
    sparse.values.external_data.add(key="location", value="/etc/passwd")


def _external_data_in_attribute(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="hidden", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))


def _custom_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.evil", 1))


def _custom_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Shell", ["images"], ["c"], domain="com.evil"))


def _custom_operator_in_branch(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([helper.make_node("Shell", [], ["c"], domain="com.evil")], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["images"], ["d"], then_branch=inner, else_branch=inner))


def _own_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f")


def _huge_tensor(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_external_data, "external data"),
        (_external_data_in_sparse, "external data"),
        (_external_data_in_attribute, "external data"),
        (_custom_domain, "com.evil"),
        (_custom_operator, "com.evil"),
        (_custom_operator_in_branch, "com.evil"),
        (_own_function, "functions"),
        (_huge_tensor, "values"),
    ],
)
def test_what_no_detector_needs_is_refused(spoil: Callable[[onnx.ModelProto], None], problem: str) -> None:
    model = tiny_model()
    spoil(model)

    with pytest.raises(UnsafeModelError, match=problem):
        inspect_model(model.SerializeToString())


def test_graphs_within_graphs_and_too_many_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "leaf", [], [])
    for _ in range(inspection.MAX_GRAPH_DEPTH + 1):
        graph = helper.make_graph([helper.make_node("If", ["a"], ["b"], then_branch=graph)], "g", [], [])
    with pytest.raises(UnsafeModelError, match="deep"):
        inspect_model(helper.make_model(graph).SerializeToString())

    monkeypatch.setattr(inspection, "MAX_NODES", 7)
    with pytest.raises(UnsafeModelError, match="at most 7 nodes"):
        inspect_model(tiny_bytes())


def test_a_good_file_is_tried_in_a_child(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes(batch="n"))

    report = check_model(path)

    assert (report.labels, report.input_size_wh, report.max_batch) == (["red", "green"], [64, 64], 8)
    assert report.run_ms > 0


def test_a_wrong_layout_keeps_its_name_on_the_way_out_of_the_child(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes(metadata={**METADATA, "names": "{0: 'red'}"}))

    with pytest.raises(ModelLayoutError, match=r"no known head for detect with 1 classes"):
        check_model(path)


def test_a_model_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes())
    began_s = time.monotonic()

    with pytest.raises(DetectorError, match=r"within 0\.05 s"):
        check_model(path, timeout_s=0.05)

    assert time.monotonic() - began_s < 5


def test_damaged_files_are_refused_or_harmless(tmp_path: Path) -> None:
    """Bit flips and truncations: nothing but our own errors comes out of the inspection."""
    good, chance = tiny_bytes(), random.Random(7)
    refused = 0
    for _ in range(400):
        damaged = bytearray(good)
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            for _ in range(chance.randint(1, 8)):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            inspect_model(bytes(damaged))
        except UnsafeModelError:
            refused += 1

    assert refused > 50
