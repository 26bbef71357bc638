"""Where ONNX Runtime computes is a setting, and one that cannot be met says so."""

import pytest

from omma_engine.detect.loading import load_detector
from omma_engine.detect.sessions import Provider, require_provider
from omma_engine.detect.spec import ModelSpec
from omma_engine.errors import DetectorError


def test_the_processor_is_always_there() -> None:
    assert require_provider("cpu") is Provider.CPU


def test_a_provider_that_is_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])

    with pytest.raises(DetectorError) as refusal:
        require_provider("cuda")

    assert str(refusal.value) == (
        "the provider cuda is not installed: ONNX Runtime here has CPUExecutionProvider; "
        "install onnxruntime-gpu in place of onnxruntime, or set OMMA_ONNX_PROVIDER=cpu"
    )


def test_an_unknown_provider_is_refused_by_name() -> None:
    with pytest.raises(DetectorError, match="expected a provider of cpu, cuda, openvino, got 'tpu'"):
        require_provider("tpu")


def test_built_in_detectors_need_no_provider() -> None:
    assert load_detector(ModelSpec("m", builtin="motion"), provider="cuda").labels == ("motion",)
