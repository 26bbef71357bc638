"""What names a model version. Imports no detector, so that whoever only hands it on stays light."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Builtin(StrEnum):
    """The detectors that need no file."""

    MOTION = "motion"
    PEOPLE = "people"
    FACES = "faces"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model version: a built-in by name, or an ONNX file with its hash. `parameters` are JSON values."""

    version_id: str
    builtin: str = ""
    file: str = ""
    sha256: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_memory(self) -> bool:
        """Whether its detector learns from what it saw, so that each stream needs its own."""
        return self.builtin == Builtin.MOTION
