"""What names a model version. Imports no detector, so that whoever only hands it on stays light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Builtin(StrEnum):
    """The detectors that need no file."""

    MOTION = "motion"
    PEOPLE = "people"
    FACES = "faces"


class Runtime(StrEnum):
    """What runs a model version."""

    OPENCV = "opencv"
    ONNX = "onnx"
    ULTRALYTICS = "ultralytics"


class ModelTask(StrEnum):
    """What a model says about a picture, in Ultralytics' words where it has one."""

    DETECT = "detect"
    CLASSIFY = "classify"
    SEGMENT = "segment"
    POSE = "pose"
    OBB = "obb"
    MOTION = "motion"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model version: a built-in by name, or a file with its hash. `parameters` are JSON values.

    `labels` name the classes of a file that names none itself.
    """

    version_id: str
    builtin: str = ""
    file: str = ""
    sha256: str = ""
    runtime: str = ""
    labels: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_memory(self) -> bool:
        """Whether its detector learns from what it saw, so that each stream needs its own."""
        return self.builtin == Builtin.MOTION
