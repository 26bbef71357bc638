"""From an ONNX file to another format. More converters come by entry points of the group `omma.converters`.

An entry point names a class whose instance is a `Converter`; its name is the target's. What a converter
imports it imports when it is asked to convert, and `missing` says what is not installed.
"""

import importlib.util
import zipfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from omma_engine.errors import DetectorError

GROUP = "omma.converters"

Report = Callable[[float], None]
"""Takes how far the work is, 0 to 1."""


class Converter(Protocol):
    """Makes one file out of another."""

    title: str
    source_runtime: str

    def missing(self) -> str:
        """Return what must be installed first, or nothing."""
        ...

    def convert(self, source: Path, folder: Path, report: Report) -> Path:
        """Return the new file, made in `folder`. Raises `DetectorError` in words for whoever asked."""
        ...


class HalfPrecision:
    """Weights in 16 bits: half the size, for devices that compute so. Inputs and outputs stay as they are."""

    title = "ONNX with weights in half precision"
    source_runtime = "onnx"

    def missing(self) -> str:
        return ""

    def convert(self, source: Path, folder: Path, report: Report) -> Path:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16

        model = onnx.load(str(source), load_external_data=False)
        report(0.3)
        converted = convert_float_to_float16(model, keep_io_types=True)
        target = folder / "model-fp16.onnx"
        onnx.save(converted, str(target))
        return target


class EightBits:
    """Weights in 8 bits, activations measured as they come: a quarter of the size."""

    title = "ONNX with weights in 8 bits"
    source_runtime = "onnx"

    def missing(self) -> str:
        return ""

    def convert(self, source: Path, folder: Path, report: Report) -> Path:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        target = folder / "model-int8.onnx"
        report(0.2)
        quantize_dynamic(str(source), str(target), weight_type=QuantType.QUInt8)
        report(0.8)
        model = onnx.load(str(target), load_external_data=False)
        used = {node.domain for node in model.graph.node} | {"", "ai.onnx"}
        kept = [item for item in model.opset_import if item.domain in used]
        del model.opset_import[:]
        model.opset_import.extend(kept)
        onnx.save(model, str(target))
        return target


class OpenVino:
    """Intel's format: a zip of the network and its weights."""

    title = "OpenVINO IR"
    source_runtime = "onnx"

    def missing(self) -> str:
        return _absent("openvino", "OpenVINO is not installed here (pip install openvino)")

    def convert(self, source: Path, folder: Path, report: Report) -> Path:
        import openvino

        model = openvino.convert_model(str(source))
        report(0.7)
        openvino.save_model(model, str(folder / "model.xml"))
        return _zipped(folder / "model-openvino.zip", [folder / "model.xml", folder / "model.bin"])


class UltralyticsOnnx:
    """A `.pt` file as ONNX."""

    title = "ONNX from a .pt file"
    source_runtime = "ultralytics"

    def missing(self) -> str:
        return _absent("ultralytics", "Ultralytics is not installed here (pip install 'omma[yolo]')")

    def convert(self, source: Path, folder: Path, report: Report) -> Path:
        from ultralytics import YOLO

        own = folder / "model.pt"  # the export lies beside its source
        own.write_bytes(source.read_bytes())
        report(0.1)
        return Path(YOLO(own).export(format="onnx", simplify=False, verbose=False))


_BUILT_IN: dict[str, Callable[[], Converter]] = {
    "fp16": HalfPrecision,
    "int8": EightBits,
    "openvino": OpenVino,
    "onnx": UltralyticsOnnx,
}


def converters() -> dict[str, Converter]:
    """Return every converter by its target; one that is installed replaces ours of the same name."""
    found: dict[str, Converter] = {name: make() for name, make in _BUILT_IN.items()}
    for entry in entry_points(group=GROUP):
        found[entry.name] = entry.load()()
    return found


def converter_for(target: str) -> Converter:
    """Return the converter of a target. Raises `DetectorError` where there is none, or it cannot work."""
    found = converters().get(target)
    if found is None:
        raise DetectorError(f"expected a target of {', '.join(sorted(converters()))}, got {target[:60]!r}")
    missing = found.missing()
    if missing:
        raise DetectorError(missing)
    return found


def _absent(module: str, words: str) -> str:
    return "" if importlib.util.find_spec(module) else words


def _zipped(target: Path, files: list[Path]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.name)
    return target
