"""ONNX Runtime's sessions, on the device that the settings name."""

from enum import StrEnum
from typing import Any

import numpy.typing as npt
import onnxruntime

from omma_engine.detect.tensors import TensorInfo
from omma_engine.errors import DetectorError


class Provider(StrEnum):
    """Where ONNX Runtime computes."""

    CPU = "cpu"
    CUDA = "cuda"
    OPENVINO = "openvino"


_NAMES = {
    Provider.CPU: "CPUExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.OPENVINO: "OpenVINOExecutionProvider",
}
_PACKAGES = {Provider.CUDA: "onnxruntime-gpu", Provider.OPENVINO: "onnxruntime-openvino"}


def require_provider(name: str) -> Provider:
    """Return the provider of this name. Raises `DetectorError` where it is unknown or not installed."""
    try:
        provider = Provider(name)
    except ValueError:
        raise DetectorError(f"expected a provider of {', '.join(Provider)}, got {name!r}") from None
    offered = onnxruntime.get_available_providers()
    if _NAMES[provider] not in offered:
        raise DetectorError(
            f"the provider {provider} is not installed: ONNX Runtime here has {', '.join(offered)}; "
            f"install {_PACKAGES[provider]} in place of onnxruntime, or set OMMA_ONNX_PROVIDER=cpu"
        )
    return provider


class Session:
    """One loaded model. Used by one thread."""

    def __init__(self, model: bytes, *, threads: int, provider: Provider) -> None:
        """Load from bytes, so that no file beside the model can be read. Raises `DetectorError`."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # else idle threads burn a core
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=[_NAMES[provider]])
        except Exception as exc:
            raise DetectorError(f"the model cannot be loaded: {exc}") from exc
        if self._session.get_providers()[0] != _NAMES[provider]:  # it falls back in silence
            raise DetectorError(f"the provider {provider} is installed but cannot be used on this machine")

    @property
    def inputs(self) -> list[TensorInfo]:
        return [_described(item) for item in self._session.get_inputs()]

    @property
    def outputs(self) -> list[TensorInfo]:
        return [_described(item) for item in self._session.get_outputs()]

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, outputs: tuple[str, ...], name: str, batch: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Return these outputs for one input. Raises `DetectorError` when the model fails."""
        try:
            found: list[npt.NDArray[Any]] = self._session.run(list(outputs), {name: batch})
        except Exception as exc:
            raise DetectorError(f"the model failed on a picture: {exc}") from exc
        return found


def _described(item: onnxruntime.NodeArg) -> TensorInfo:
    return TensorInfo(item.name, item.type, tuple(item.shape))
