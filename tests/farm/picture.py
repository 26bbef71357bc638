"""The pictures of virtual cameras: a pattern that is cheap to draw and moves everywhere, or a scene."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omma_engine.sources.pixel_code import PixelCode, draw_code
from omma_engine.sources.scene import SceneRenderer
from omma_engine.sources.scene_options import SceneOptions
from tests.farm.spec import CameraSpec

Picture = NDArray[np.uint8]


class Painter(Protocol):
    """Draws pictures that carry their pixel code."""

    def paint(self, code: PixelCode) -> Picture:
        """Return `(H, W, 3)` BGR uint8, valid until the next call."""
        ...


def painter_for(spec: CameraSpec, seed: int) -> Painter:
    if spec.scene == "pattern":
        return PatternPainter(spec.width, spec.height, seed)
    return ScenePainter(spec, seed)


class PatternPainter:
    """Soft noise that slides with every picture, so that each costs bits as a real one does."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        noise = np.random.default_rng(seed)
        coarse = noise.integers(40, 200, size=(height // 16 + 2, width // 16 + 9, 3), dtype=np.uint8)
        fine = noise.integers(0, 24, size=(height, width + 64, 3), dtype=np.uint8)
        blocks = coarse.repeat(16, axis=0).repeat(16, axis=1)[:height, : width + 64]
        self._strip: Picture = blocks + fine
        self._picture: Picture = np.empty((height, width, 3), dtype=np.uint8)

    def paint(self, code: PixelCode) -> Picture:
        shift = code.counter * 2 % 64
        self._picture[...] = self._strip[:, shift : shift + self._picture.shape[1]]
        draw_code(self._picture, code)
        return self._picture


class ScenePainter:
    """The synthetic yard or room, in which a person walks."""

    def __init__(self, spec: CameraSpec, seed: int) -> None:
        options = SceneOptions(
            width=spec.width, height=spec.height, fps=spec.fps, seed=seed, variant=spec.scene, has_code=False
        )
        self._scene = SceneRenderer(options)

    def paint(self, code: PixelCode) -> Picture:
        picture = self._scene.render(code.counter, code.utc_us)
        draw_code(picture, code)
        return picture
