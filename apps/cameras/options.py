"""The options that a camera's driver takes, checked when they are saved."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from apps.cameras.models import Driver
from apps.core.exceptions import InvalidInputError
from omma_engine.sources.scene_options import OPTIONS

Check = Callable[[Any], bool]
MAX_LABELS = 8
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,63}")


def _one_of(*values: object) -> Check:
    return lambda value: value in values and not isinstance(value, bool)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _between(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _fits_scene(name: str) -> Check:
    option = OPTIONS[name]
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and option.takes(value)


def _are_labels(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) > MAX_LABELS:
        return False
    texts = [*value, *value.values()]
    return all(isinstance(text, str) and _LABEL.fullmatch(text) for text in texts)


_KNOWN: Mapping[Driver, Mapping[str, Check]] = {
    Driver.RTSP: {"transport": _one_of("tcp", "udp"), "audio": _is_bool},
    Driver.HLS: {"audio": _is_bool},
    Driver.MJPEG: {"fps": _between(1, 60)},
    Driver.FILE: {"loop": _is_bool, "audio": _is_bool},
    Driver.V4L2: {"width": _between(16, 7680), "height": _between(16, 4320), "fps": _between(1, 120)},
    Driver.SYNTHETIC: {name: _fits_scene(name) for name in ("seed", "width", "height", "fps")},
}
# What a worker must be labelled with to take the camera, and whether the camera lets in one client only.
_PLACE: Mapping[str, Check] = {"labels": _are_labels}
_COMMON: Mapping[Driver, Mapping[str, Check]] = {
    driver: _PLACE if driver is Driver.SYNTHETIC else {**_PLACE, "single_session": _is_bool}
    for driver in Driver
}
_DEFAULTS: Mapping[Driver, Mapping[str, object]] = {Driver.FILE: {"loop": True}}


def default_options(driver: Driver) -> dict[str, object]:
    """Return what a new camera of this driver starts with: a file loops."""
    return dict(_DEFAULTS.get(driver, {}))


def check_options(driver: Driver, options: Any) -> dict[str, Any]:
    """Return the options when the driver takes them all; the error names the one that it does not take."""
    if not isinstance(options, dict):
        raise InvalidInputError("Expected an object.", field="options")
    known = {**_KNOWN[driver], **_COMMON[driver]}
    for name, value in options.items():
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise InvalidInputError(
                f"{driver.label} takes no option {name!r}; it takes: {allowed}.", field=f"options.{name}"
            )
        if not known[name](value):
            raise InvalidInputError(f"{value!r} is not a value for {name}.", field=f"options.{name}")
    return options
