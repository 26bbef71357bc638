"""Webcams and capture cards on this machine, by Video4Linux.

Options: `width`, `height`, `fps`, `input_format` (such as "mjpeg" or "yuyv422"). What the device does
not offer, it answers with the nearest that it does.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import av

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceNotFoundError, SourceStalledError, SourceUnsupportedError
from omma_engine.sources.base import OPEN_TIMEOUT_S, READ_TIMEOUT_S, RawPicture
from omma_engine.sources.failures import source_error
from omma_engine.types import SourceSpec

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

_FORMAT = "video4linux2,v4l2"
_DEVICE = re.compile(r"/dev/(video\d+|v4l/[\w./:-]+)")
_INPUT_FORMAT = re.compile(r"[a-z0-9_]{1,20}")


class V4l2Source:
    """Reads one device."""

    def __init__(self, spec: SourceSpec, *, clock: Clock | None = None, device_format: str = _FORMAT) -> None:
        self._device = spec.url.removeprefix("v4l2://").removeprefix("file://")
        if not _DEVICE.fullmatch(self._device) or ".." in self._device:
            raise SourceUnsupportedError(f"expected a device such as /dev/video0, got {self._device}")
        self._options = device_options(spec.options)
        self._format = device_format
        self._clock = clock or SystemClock()
        self._container: InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._frame_rate = 0.0

    @property
    def frame_rate(self) -> float:
        return self._frame_rate

    def open(self) -> None:
        try:
            self._container = av.open(
                self._device,
                "r",
                format=self._format,
                options=self._options,
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
            )
        except (av.FFmpegError, OSError) as error:
            raise source_error(error, was_open=False) from error
        if not self._container.streams.video:
            raise SourceNotFoundError(f"{self._device} gives no pictures")
        self._frame_rate = float(self._container.streams.video[0].average_rate or 0)
        self._frames = self._container.decode(video=0)

    def read(self) -> RawPicture:
        try:
            frame = next(self._frames, None)
        except (av.FFmpegError, OSError) as error:
            raise source_error(error, was_open=True) from error
        if frame is None:
            raise SourceStalledError("the device stopped")
        capture_us = self._clock.now_us()
        array_bgr = cast("NDArray[np.uint8]", frame.to_ndarray(format="bgr24"))  # bgr24 is uint8
        return RawPicture(array_bgr, capture_us)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


def device_options(options: object) -> dict[str, str]:
    """Return FFmpeg's options for what a source's options ask of a device."""
    values = options if isinstance(options, dict) else dict(cast("dict[str, object]", options))
    chosen = {}
    width, height, rate = values.get("width"), values.get("height"), values.get("fps")
    if isinstance(width, int) and isinstance(height, int):
        chosen["video_size"] = f"{width}x{height}"
    if isinstance(rate, (int, float)) and rate > 0:
        chosen["framerate"] = str(rate)
    wanted = values.get("input_format")
    if isinstance(wanted, str) and wanted:
        if not _INPUT_FORMAT.fullmatch(wanted):
            raise SourceUnsupportedError(f"expected an input format such as mjpeg, got {wanted!r}")
        chosen["input_format"] = wanted
    return chosen
