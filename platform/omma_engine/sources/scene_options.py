"""What a synthetic camera is asked to draw, read and checked without anything that draws.

The address names the scene and its options: `synthetic:yard`, `synthetic:room?seed=3&width=1280&height=720`.
The same options may also come with the source; those of the address win.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from omma_engine.errors import SourceUnsupportedError

VARIANTS = ("yard", "room")
_DEFAULT_VARIANT = "yard"


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """What is drawn. `variant` is "yard" or "room"; `seed` shifts the visits and chooses the clothes.

    `has_code` burns in the pixel code at the top left, of stream `stream_id`; `has_clock` the time in words.
    """

    width: int = 640
    height: int = 480
    fps: int = 15
    seed: int = 0
    variant: str = "yard"
    stream_id: int = 0
    has_code: bool = True
    has_clock: bool = True

    @property
    def is_known(self) -> bool:
        """Whether there is such a scene."""
        return self.variant in VARIANTS


@dataclass(frozen=True, slots=True)
class SceneOption:
    """A number that may be chosen, and between which bounds."""

    default: int
    least: int
    most: int
    multiple: int = 1

    def takes(self, number: int) -> bool:
        """Tell whether the number is one of those."""
        return self.least <= number <= self.most and number % self.multiple == 0


OPTIONS: Mapping[str, SceneOption] = {
    "width": SceneOption(1280, 320, 3840, multiple=2),
    "height": SceneOption(720, 240, 2160, multiple=2),
    "fps": SceneOption(15, 1, 60),
    "seed": SceneOption(0, 0, 1_000_000),
    "stream_id": SceneOption(0, 0, 0xFFFF),
}


def scene_options(url: str, options: Mapping[str, object]) -> SceneOptions:
    """Return the scene that an address and its options ask for; raises `SourceUnsupportedError`."""
    address = urlsplit(url)
    chosen: dict[str, object] = dict(options) | dict(parse_qsl(address.query))
    variant = (address.netloc + address.path).strip("/") or str(chosen.get("variant", _DEFAULT_VARIANT))
    chosen.pop("variant", None)
    if variant in VARIANTS:
        chosen.setdefault("seed", VARIANTS.index(variant))  # so that two scenes are not visited at once
    unknown = sorted(set(chosen) - set(OPTIONS))
    if unknown:
        raise SourceUnsupportedError(f"unknown option of the synthetic camera: {', '.join(unknown)}")
    numbers = {name: _number(name, chosen.get(name), option) for name, option in OPTIONS.items()}
    scene = SceneOptions(
        width=numbers["width"], height=numbers["height"], fps=numbers["fps"], seed=numbers["seed"],
        stream_id=numbers["stream_id"], variant=variant,
    )  # fmt: skip
    if not scene.is_known:
        raise SourceUnsupportedError(f"unknown scene of the synthetic camera: {variant}")
    return scene


def _number(name: str, value: object, option: SceneOption) -> int:
    if value is None:
        return option.default
    try:
        number = int(str(value))
    except ValueError as error:
        raise SourceUnsupportedError(f"expected a whole number as {name}, got {value!r}") from error
    if not option.takes(number):
        bounds = f"between {option.least} and {option.most}"
        even = " and even" if option.multiple == 2 else ""
        raise SourceUnsupportedError(f"expected {name} {bounds}{even}, got {number}")
    return number
