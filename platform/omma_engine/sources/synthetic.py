"""The synthetic camera: a drawn scene in real time, as a raw source.

Its address names the scene and its options: `synthetic:yard`, `synthetic:room?seed=3&width=1280&height=720`.
The same options may also come with the source; those of the address win.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceStalledError, SourceUnsupportedError
from omma_engine.sources.backdrop import VARIANTS
from omma_engine.sources.base import RawPicture
from omma_engine.sources.scene import SceneOptions, SceneRenderer
from omma_engine.types import SourceSpec

_DEFAULT_VARIANT = "yard"


@dataclass(frozen=True, slots=True)
class _Option:
    """A number that may be chosen, and between which bounds."""

    default: int
    least: int
    most: int
    multiple: int = 1


_OPTIONS: Mapping[str, _Option] = {
    "width": _Option(1280, 320, 3840, multiple=2),
    "height": _Option(720, 240, 2160, multiple=2),
    "fps": _Option(15, 1, 60),
    "seed": _Option(0, 0, 1_000_000),
    "stream_id": _Option(0, 0, 0xFFFF),
}


class SyntheticSource:
    """Delivers the pictures of a `SceneRenderer` when they are due; late ones are left out."""

    def __init__(
        self, spec: SourceSpec, clock: Clock | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Read the options. Raises `SourceUnsupportedError` for one that is unknown or out of bounds."""
        self._options = scene_options(spec.url, spec.options)
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._renderer: SceneRenderer | None = None
        self._began_us = 0
        self._next = 0

    def open(self) -> None:
        """Draw the place and start its time."""
        self._renderer = SceneRenderer(self._options)
        self._began_us = self._clock.monotonic_us()
        self._next = 0

    def read(self) -> RawPicture:
        """Wait until the next picture is due and return it."""
        if self._renderer is None:
            raise SourceStalledError("the synthetic source is not open")
        elapsed_us = self._clock.monotonic_us() - self._began_us
        index = max(self._next, elapsed_us * self._options.fps // 1_000_000)
        wait_us = index * 1_000_000 // self._options.fps - elapsed_us
        if wait_us > 0:
            self._sleep(wait_us / 1_000_000)
        self._next = index + 1
        capture_us = self._clock.now_us()
        return RawPicture(self._renderer.render(index, capture_us).copy(), capture_us)

    def close(self) -> None:
        self._renderer = None


def scene_options(url: str, options: Mapping[str, object]) -> SceneOptions:
    """Return the scene that an address and its options ask for; raises `SourceUnsupportedError`."""
    address = urlsplit(url)
    chosen: dict[str, object] = dict(options) | dict(parse_qsl(address.query))
    variant = (address.netloc + address.path).strip("/") or str(chosen.get("variant", _DEFAULT_VARIANT))
    chosen.pop("variant", None)
    if variant in VARIANTS:
        chosen.setdefault("seed", VARIANTS.index(variant))  # so that two scenes are not visited at once
    unknown = sorted(set(chosen) - set(_OPTIONS))
    if unknown:
        raise SourceUnsupportedError(f"unknown option of the synthetic camera: {', '.join(unknown)}")
    numbers = {name: _number(name, chosen.get(name), option) for name, option in _OPTIONS.items()}
    scene = SceneOptions(
        width=numbers["width"], height=numbers["height"], fps=numbers["fps"], seed=numbers["seed"],
        stream_id=numbers["stream_id"], variant=variant,
    )  # fmt: skip
    if not scene.is_known:
        raise SourceUnsupportedError(f"unknown scene of the synthetic camera: {variant}")
    return scene


def _number(name: str, value: object, option: _Option) -> int:
    if value is None:
        return option.default
    try:
        number = int(str(value))
    except ValueError as error:
        raise SourceUnsupportedError(f"expected a whole number as {name}, got {value!r}") from error
    if not option.least <= number <= option.most or number % option.multiple:
        bounds = f"between {option.least} and {option.most}"
        even = " and even" if option.multiple == 2 else ""
        raise SourceUnsupportedError(f"expected {name} {bounds}{even}, got {number}")
    return number
