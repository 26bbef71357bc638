"""How a runtime describes what a model takes and gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output as the runtime describes it; a dimension that is no number is free."""

    name: str
    element_type: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        sides = ", ".join(str(side) if isinstance(side, int) else "?" for side in self.shape)
        return f"{self.name} ({sides})"
