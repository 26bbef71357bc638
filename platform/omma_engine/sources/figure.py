"""A drawn person, walking: seen from the front or back, upright, with the outline that people have."""

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]

_SUBPIXEL_BITS = 4
_HEAD_TOP, _CHIN, _SHOULDER, _HIP, _KNEE, _SOLE = 0.0, 0.135, 0.185, 0.50, 0.74, 0.985


@dataclass(frozen=True, slots=True)
class Clothes:
    """Colours, BGR."""

    coat: Color
    trousers: Color
    shoes: Color
    skin: Color
    hair: Color


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the person stands (middle of the feet, in pixels), how tall, and how far through a step.

    `step` counts strides: a whole number is feet together on the same side again. `swing` is 0 for standing.
    """

    x: float
    y: float
    height: float
    step: float
    swing: float


def draw_person(picture: NDArray[np.uint8], pose: Pose, clothes: Clothes) -> None:
    """Draw the person into `(H, W, 3)` BGR uint8, in place; what is outside the picture is cut off."""
    brush = _Brush(picture, pose)
    brush.shadow()
    phase = math.sin(2 * math.pi * pose.step) * pose.swing
    for side in (-1, 1):
        _leg(brush, side, phase * side, clothes)
    for side in (-1, 1):
        _arm(brush, side, phase * side, clothes)
    _torso(brush, clothes)
    _head(brush, clothes)


class _Brush:
    """Draws in units of the person's height: x from the middle, y down from the top of the head."""

    def __init__(self, picture: NDArray[np.uint8], pose: Pose) -> None:
        self._picture = picture
        self._pose = pose
        bob = 0.006 * abs(math.sin(2 * math.pi * pose.step)) * pose.swing
        self._top = pose.y - pose.height * (1 - bob)

    def polygon(self, points: list[tuple[float, float]], color: Color) -> None:
        corners = np.array([self._at(x, y) for x, y in points], dtype=np.int32)
        cv2.fillPoly(self._picture, [corners], color, cv2.LINE_AA, _SUBPIXEL_BITS)

    def ellipse(self, center: tuple[float, float], radii: tuple[float, float], color: Color) -> None:
        size = (self._length(radii[0]), self._length(radii[1]))
        cv2.ellipse(self._picture, self._at(*center), size, 0, 0, 360, color, -1, cv2.LINE_AA, _SUBPIXEL_BITS)

    def limb(self, joints: list[tuple[float, float, float]], color: Color) -> None:
        """Draw a chain of (x, y, half width): its bones, and a round joint at each."""
        for (x0, y0, w0), (x1, y1, w1) in pairwise(joints):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            nx, ny = (y1 - y0) / length, (x0 - x1) / length
            self.polygon(
                [(x0 - nx * w0, y0 - ny * w0), (x0 + nx * w0, y0 + ny * w0),
                 (x1 + nx * w1, y1 + ny * w1), (x1 - nx * w1, y1 - ny * w1)],
                color,
            )  # fmt: skip
        for x, y, width in joints:
            self.ellipse((x, y), (width, width), color)

    def shadow(self) -> None:
        """Darken the ground under the feet."""
        pose = self._pose
        half_w, half_h = int(pose.height * 0.16), max(2, int(pose.height * 0.022))
        left, top = int(pose.x) - half_w, int(pose.y) - half_h
        area = self._picture[max(top, 0) : top + 2 * half_h, max(left, 0) : max(left + 2 * half_w, 0)]
        if area.size:
            ys = np.linspace(-1, 1, area.shape[0])[:, None]
            xs = np.linspace(-1, 1, area.shape[1])[None, :]
            depth = np.clip(1 - xs**2 - ys**2, 0, 1)[:, :, None] * 0.35
            area[...] = (area * (1 - depth)).astype(np.uint8)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        pose, unit = self._pose, 1 << _SUBPIXEL_BITS
        return round((pose.x + x * pose.height) * unit), round((self._top + y * pose.height) * unit)

    def _length(self, part: float) -> int:
        return round(part * self._pose.height * (1 << _SUBPIXEL_BITS))


def _leg(brush: _Brush, side: int, phase: float, clothes: Clothes) -> None:
    lift = 0.035 * max(phase, 0.0)
    hip = (side * 0.055, _HIP, 0.058)
    knee = (side * (0.068 + 0.012 * phase), _KNEE - lift, 0.045)
    ankle = (side * (0.072 + 0.02 * phase), _SOLE - 0.035 - lift, 0.032)
    brush.limb([hip, knee, ankle], clothes.trousers)
    brush.ellipse((ankle[0] + side * 0.012, _SOLE - 0.015 - lift), (0.045, 0.022), clothes.shoes)


def _arm(brush: _Brush, side: int, phase: float, clothes: Clothes) -> None:
    shoulder = (side * 0.108, _SHOULDER + 0.035, 0.038)
    elbow = (side * 0.138, 0.36, 0.032)
    hand = (side * (0.142 - 0.012 * phase), 0.485 + 0.015 * phase, 0.024)
    brush.limb([shoulder, elbow, hand], clothes.coat)
    brush.ellipse((hand[0], hand[1] + 0.02), (0.022, 0.03), clothes.skin)


def _torso(brush: _Brush, clothes: Clothes) -> None:
    brush.ellipse((0, _CHIN + 0.03), (0.035, 0.05), clothes.skin)
    right = [
        (0.04, _SHOULDER - 0.02),
        (0.10, _SHOULDER + 0.005),
        (0.135, _SHOULDER + 0.04),
        (0.125, 0.33),
        (0.112, _HIP + 0.03),
    ]
    outline = right + [(-x, y) for x, y in reversed(right)]
    brush.polygon(outline, clothes.coat)


def _head(brush: _Brush, clothes: Clothes) -> None:
    brush.ellipse((0, 0.07), (0.052, 0.07), clothes.hair)
    brush.ellipse((0, 0.085), (0.043, 0.056), clothes.skin)
