"""Which detector a model version means: the one table of runtimes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from omma_engine.detect.base import Detector
from omma_engine.detect.faces import FaceDetector
from omma_engine.detect.motion import MotionDetector
from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.people import PeopleDetector
from omma_engine.detect.sessions import Provider, require_provider
from omma_engine.detect.settings import FaceSettings, MotionSettings, OnnxSettings, PeopleSettings
from omma_engine.detect.spec import Builtin, ModelSpec, Runtime
from omma_engine.detect.torch_detector import TorchDetector
from omma_engine.errors import DetectorError

_Settings = TypeVar("_Settings", MotionSettings, PeopleSettings, FaceSettings, OnnxSettings)


def load_detector(spec: ModelSpec, *, provider: str = Provider.CPU) -> Detector:
    """Return a new detector. Raises `DetectorError`, whose message says what is wrong with the model.

    `provider` is where ONNX Runtime computes.
    """
    if spec.builtin:
        return _builtin(spec)
    path = Path(spec.file)
    settings = _settings(OnnxSettings, spec)
    if spec.runtime == Runtime.ULTRALYTICS:
        read_verified(path, sha256=spec.sha256)
        return TorchDetector(path, settings)
    return OnnxDetector(
        read_verified(path, sha256=spec.sha256),
        settings,
        labels=spec.labels,
        provider=require_provider(provider),
    )


def read_verified(path: Path, *, sha256: str) -> bytes:
    """Return the file's bytes if they are the ones that were imported."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise DetectorError(f"model file {path.name}: {exc.strerror}") from exc
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DetectorError(f"model file {path.name}: its contents changed since it was imported")
    return content


def _builtin(spec: ModelSpec) -> Detector:
    match spec.builtin:
        case Builtin.MOTION:
            return MotionDetector(_settings(MotionSettings, spec))
        case Builtin.PEOPLE:
            return PeopleDetector(_settings(PeopleSettings, spec))
        case Builtin.FACES:
            return FaceDetector(_settings(FaceSettings, spec))
        case _:
            raise DetectorError(f"expected a built-in detector (motion, people, faces), got {spec.builtin!r}")


def _settings(kind: type[_Settings], spec: ModelSpec) -> _Settings:
    make: Callable[..., _Settings] = kind
    try:
        return make(**spec.parameters)
    except TypeError as exc:
        raise DetectorError(f"model parameters: {exc}") from exc
