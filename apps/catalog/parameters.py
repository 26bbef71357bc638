"""The parameters that a detector takes: their names, kinds, defaults and bounds."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from apps.core.exceptions import InvalidInputError
from omma_engine.detect.settings import FaceSettings, MotionSettings, OnnxSettings, PeopleSettings

_SETTINGS = {"motion": MotionSettings, "people": PeopleSettings, "faces": FaceSettings}
_HIDDEN = {"threads"}  # the host's to decide


def known_parameters(builtin: str) -> dict[str, dict[str, Any]]:
    """Return each parameter's kind and default."""
    chosen = _SETTINGS.get(builtin, OnnxSettings)
    return {
        item.name: {"type": type(item.default).__name__, "default": item.default}
        for item in fields(chosen)
        if item.name not in _HIDDEN
    }


def checked_parameters(value: Mapping[str, Any], builtin: str) -> dict[str, Any]:
    """Return settings of the detector: known names, and numbers above zero."""
    known = known_parameters(builtin)
    for name, number in value.items():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidInputError(
                f"The model has no parameter {name!r}; it has {names}.", field="parameters"
            )
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number) or number <= 0:
            raise InvalidInputError(f"{name}: expected a number above 0.", field="parameters")
        if known[name]["type"] == "int" and int(number) != number:
            raise InvalidInputError(f"{name}: expected a whole number.", field="parameters")
    return dict(value)
