"""Pictures of one red square on noise: as a dataset to learn from, and as a video to find it in."""

import zipfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

SIDE = 64
LABEL = "square"


def drawn(chance: np.random.Generator) -> tuple[npt.NDArray[np.uint8], list[float]]:
    """Return a noisy picture with one bright square in it, and its box in parts."""
    side = int(chance.integers(18, 30))
    x, y = (int(value) for value in chance.integers(1, SIDE - side - 1, 2))
    return picture_of(chance, x, y, side), [
        (x + side / 2) / SIDE, (y + side / 2) / SIDE, side / SIDE, side / SIDE,
    ]  # fmt: skip


def picture_of(chance: np.random.Generator, x: int, y: int, side: int) -> npt.NDArray[np.uint8]:
    picture = chance.integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
    cv2.rectangle(picture, (x, y), (x + side, y + side), (40, 40, 230), -1)
    return picture


def write_dataset(path: Path) -> Path:
    """Write a zip as Ultralytics describes it."""
    chance = np.random.default_rng(7)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.yaml", f"names: [{LABEL}]\ntrain: images/train\nval: images/val\n")
        for part, count in (("train", 64), ("val", 8)):
            for number in range(count):
                picture, box = drawn(chance)
                archive.writestr(f"images/{part}/{number}.png", bytes(cv2.imencode(".png", picture)[1]))
                line = " ".join(str(value) for value in (0, *box))
                archive.writestr(f"labels/{part}/{number}.txt", line)
    return path


def write_video(path: Path, *, seconds: int = 12, fps: int = 10, scale: int = 4) -> Path:
    """Write a video in which the square comes after two seconds, and goes two before the end."""
    chance = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": str(fps), "bf": "0", "crf": "18"})
        stream.width = stream.height = SIDE * scale
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        for number in range(seconds * fps):
            second = number / fps
            is_there = 2 <= second < seconds - 2
            place = int(4 + 30 * (second - 2) / (seconds - 4))
            picture = picture_of(chance, place, place, 24) if is_there else picture_of(chance, -9, -9, 1)
            large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(large, format="bgr24")))
        container.mux(stream.encode(None))
    return path
