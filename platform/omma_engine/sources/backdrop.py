"""The places that synthetic scenes show: drawn once, at twice the size, and scaled down for soft edges."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[int, int, int]
_SCALE = 2


def draw_backdrop(variant: str, width: int, height: int, seed: int) -> Image:
    """Return `(H, W, 3)` BGR uint8. Raises `KeyError` for a variant that does not exist."""
    canvas = _Canvas(width * _SCALE, height * _SCALE)
    _BACKDROPS[variant](canvas, np.random.default_rng(seed))
    small = cv2.resize(canvas.image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


class _Canvas:
    """Draws in fractions of the picture's width and height."""

    def __init__(self, width: int, height: int) -> None:
        self.image: Image = np.zeros((height, width, 3), dtype=np.uint8)
        self._size = np.array([width, height], dtype=np.float64)

    def shade(self, top: float, bottom: float, first: Color, last: Color) -> None:
        """Fill a band of the whole width with a vertical run of colour."""
        height = self.image.shape[0]
        rows = slice(round(top * height), round(bottom * height))
        share = np.linspace(0, 1, rows.stop - rows.start)[:, None]
        run = np.array(first) * (1 - share) + np.array(last) * share
        self.image[rows] = run[:, None, :].astype(np.uint8)

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color)

    def polygon(self, points: list[tuple[float, float]], color: Color) -> None:
        corners = (np.array(points) * self._size).astype(np.int32)
        cv2.fillPoly(self.image, [corners], color, cv2.LINE_AA)

    def blob(self, x: float, y: float, radius_x: float, radius_y: float, color: Color) -> None:
        center = (round(x * self._size[0]), round(y * self._size[1]))
        radii = (round(radius_x * self._size[0]), round(radius_y * self._size[1]))
        cv2.ellipse(self.image, center, radii, 0, 0, 360, color, -1, cv2.LINE_AA)

    def line(self, x0: float, y0: float, x1: float, y1: float, color: Color, width: float) -> None:
        ends = (np.array([(x0, y0), (x1, y1)]) * self._size).astype(int).tolist()
        cv2.line(self.image, ends[0], ends[1], color, max(1, round(width * self._size[1])), cv2.LINE_AA)


def _yard(canvas: _Canvas, chance: np.random.Generator) -> None:
    canvas.shade(0.0, 0.42, (228, 190, 140), (238, 224, 206))
    for x, y, size in ((0.22, 0.12, 0.09), (0.29, 0.14, 0.07), (0.62, 0.08, 0.08), (0.69, 0.10, 0.06)):
        canvas.blob(x, y, size, size * 0.32, (244, 240, 236))
    for x in np.linspace(-0.05, 1.05, 12):
        canvas.blob(float(x), 0.36, 0.10, 0.07 + 0.02 * float(chance.random()), (116, 150, 122))
    canvas.shade(0.38, 0.56, (150, 176, 196), (138, 164, 186))  # a low wall of pale brick
    for course in range(1, 6):
        canvas.line(0, 0.38 + course * 0.03, 1, 0.38 + course * 0.03, (128, 154, 176), 0.002)
    canvas.box(0, 0.372, 1, 0.388, (176, 196, 210))
    canvas.shade(0.56, 1.0, (96, 168, 132), (78, 146, 108))  # lawn
    for _ in range(240):
        x, y = float(chance.random()), 0.57 + 0.42 * float(chance.random())
        canvas.blob(x, y, 0.012, 0.003, (84, 154, 116))
    canvas.polygon([(0, 0.80), (1, 0.76), (1, 0.97), (0, 0.99)], (176, 190, 198))  # path
    for x in np.linspace(0.0, 1.0, 9):
        canvas.line(
            float(x), 0.80 - 0.04 * float(x), float(x) - 0.03, 0.99 - 0.02 * float(x), (160, 176, 184), 0.003
        )
    for x, y in ((0.06, 0.60), (0.16, 0.585), (0.83, 0.58), (0.94, 0.60)):
        canvas.blob(x, y, 0.07, 0.055, (72, 128, 92))
        for _ in range(7):
            canvas.blob(x + float(chance.normal(0, 0.025)), y + float(chance.normal(0, 0.018)), 0.007, 0.009,
                        (150, 130, 226))  # fmt: skip


def _room(canvas: _Canvas, chance: np.random.Generator) -> None:
    canvas.shade(0.0, 0.66, (206, 218, 226), (190, 204, 214))  # wall
    canvas.shade(0.66, 1.0, (120, 152, 184), (96, 128, 162))  # wooden floor
    for y in (0.70, 0.75, 0.81, 0.88, 0.95):
        canvas.line(0, y, 1, y, (108, 140, 172), 0.003)
    canvas.box(0, 0.645, 1, 0.665, (226, 232, 236))  # skirting
    canvas.box(0.62, 0.20, 0.92, 0.46, (222, 230, 234))  # window
    canvas.box(0.635, 0.22, 0.905, 0.44, (222, 204, 176))
    hill = [(0.635, 0.40), (0.68, 0.37), (0.74, 0.385), (0.80, 0.355), (0.86, 0.375), (0.905, 0.36)]
    canvas.polygon([*hill, (0.905, 0.44), (0.635, 0.44)], (150, 180, 160))
    canvas.box(0.62, 0.325, 0.92, 0.337, (222, 230, 234))
    canvas.box(0.08, 0.36, 0.42, 0.375, (136, 162, 186))  # a shelf with books
    x = 0.09
    while x < 0.39:
        width, height = 0.012 + 0.012 * float(chance.random()), 0.05 + 0.03 * float(chance.random())
        tone = tuple(int(value) for value in chance.integers(140, 205, 3))
        canvas.box(x, 0.36 - height, x + width, 0.36, (tone[0], tone[1], tone[2]))
        x += width + 0.002
    canvas.box(0.16, 0.43, 0.34, 0.55, (168, 184, 198))  # a picture
    canvas.box(0.17, 0.445, 0.33, 0.535, (210, 216, 212))
    canvas.polygon([(0.17, 0.535), (0.22, 0.47), (0.26, 0.51), (0.29, 0.485), (0.33, 0.535)], (178, 192, 172))
    canvas.polygon([(0.14, 0.84), (0.86, 0.84), (0.96, 0.99), (0.04, 0.99)], (150, 136, 176))  # rug
    canvas.polygon([(0.17, 0.855), (0.83, 0.855), (0.92, 0.975), (0.08, 0.975)], (168, 156, 190))


_BACKDROPS: Mapping[str, Callable[[_Canvas, np.random.Generator], None]] = {"yard": _yard, "room": _room}
