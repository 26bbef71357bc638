"""The synthetic camera: a drawn scene in real time, as a raw source; `scene_options` reads its address."""

import time
from collections.abc import Callable

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceStalledError
from omma_engine.sources.base import RawPicture
from omma_engine.sources.scene import SceneRenderer
from omma_engine.sources.scene_options import scene_options
from omma_engine.types import SourceSpec


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

    @property
    def frame_rate(self) -> float:
        return float(self._options.fps)

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
