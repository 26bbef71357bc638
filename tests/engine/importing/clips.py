"""Small videos of all kinds, made when they are needed."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np


def write_clip(
    path: Path,
    *,
    codec: str = "libx264",
    size_wh: tuple[int, int] = (160, 96),
    frames: int = 30,
    fps: int = 10,
    gop: int = 10,
    times_ms: Sequence[int] | None = None,
    rotation: int = 0,
    with_sound: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a clip whose left half is bright and whose right half is dark; `times_ms` gives it odd times."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = cast("av.VideoStream", container.add_stream(codec, rate=fps))  # all are of pictures
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = Fraction(1, 1000)
        if codec.startswith("libx26"):
            stream.options = {"preset": "ultrafast", **(options or {})}
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream("aac", rate=16_000) if with_sound else None
        for index in range(frames):
            picture = np.full((size_wh[1], size_wh[0], 3), 20, np.uint8)
            picture[:, : size_wh[0] // 2] = 120 + index % 100
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            frame.pts = index * 1000 // fps if times_ms is None else times_ms[index]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _write_sound(container, sound, frames / fps)
    return path


def write_sound_only(path: Path) -> Path:
    """Write a second of silence."""
    with av.open(str(path), "w") as container:
        _write_sound(container, container.add_stream("aac", rate=16_000), 1.0)
    return path


def _write_sound(container: "av.container.OutputContainer", sound: "av.AudioStream", seconds: float) -> None:
    for index in range(int(seconds * 16_000 / 1024)):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 16_000, index * 1024
        container.mux(sound.encode(frame))
    container.mux(sound.encode())
