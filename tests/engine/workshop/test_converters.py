"""Converted models find what the original finds; what is not installed says so."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from omma_engine.detect.canary import check_model
from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.errors import DetectorError
from omma_engine.workshop import converters
from omma_engine.workshop.converters import converter_for
from tests.engine.detect.tiny_onnx import picture_with, tiny_bytes


@pytest.mark.parametrize("target", ["fp16", "int8"])
def test_a_converted_model_finds_the_same(tmp_path: Path, target: str) -> None:
    source = tmp_path / "tiny.onnx"
    source.write_bytes(tiny_bytes())
    told: list[float] = []

    made = converter_for(target).convert(source, tmp_path, told.append)

    (found,) = OnnxDetector(made.read_bytes()).detect([picture_with(("red", 8, 24))], at_us=[0])
    assert found.labels == ("red",)
    assert found.boxes_xyxy.tolist() == [[8, 24, 24, 40]]
    assert check_model(made).labels == ["red", "green"]
    assert told == sorted(told)


def test_what_is_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(DetectorError, match="OpenVINO is not installed here"):
        converter_for("openvino")


def test_an_unknown_target_names_those_that_are_known() -> None:
    with pytest.raises(DetectorError, match="expected a target of fp16, int8, onnx, openvino, got 'coffee'"):
        converter_for("coffee")


class Copy:
    """A converter as somebody else would write it."""

    title = "A copy"
    source_runtime = "onnx"

    def missing(self) -> str:
        return ""

    def convert(self, source: Path, folder: Path, report: converters.Report) -> Path:
        target = folder / "copy.onnx"
        target.write_bytes(source.read_bytes())
        return target


def test_a_converter_comes_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("copy", "tests.engine.workshop.test_converters:Copy", converters.GROUP)
    monkeypatch.setattr(converters, "entry_points", lambda group: [entry])
    source = tmp_path / "tiny.onnx"
    source.write_bytes(tiny_bytes())

    made = converter_for("copy").convert(source, tmp_path, lambda _: None)

    assert made.read_bytes() == source.read_bytes()
