"""Motion: what differs from a background that is learnt as the picture goes on (OpenCV's MOG2).

Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Detections, Picture
from omma_engine.detect.geometry import clip_boxes, shrink_to_width
from omma_engine.detect.settings import MotionSettings

MOTION_LABEL = "motion"
_FOREGROUND = 255  # MOG2 marks shadows with 127
_STILL_S = 5.0  # a thing that stands still so long becomes background
_BACKGROUND_SHARE = 0.1  # of a pixel's memory that MOG2 takes for background (1 - its backgroundRatio of 0.9)
_MAX_BOXES = 20


class MotionDetector:
    """Finds moving areas, each a box labelled `motion`. It has memory: one belongs to one stream.

    `heat` is the moving share of the picture on a square-root scale, so that a person in a yard (1 %) reads
    0.1 and a full picture 1. A box's score grows with how solid its area moves.
    """

    labels = (MOTION_LABEL,)
    max_batch = 1

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self._settings = settings or MotionSettings()
        self._subtractor = self._new_subtractor()
        self._open = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._close = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
        self._seen = 0
        self._last_us = 0
        self._size: tuple[int, ...] = ()

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return the moving areas of each picture, in order; the pictures must be of one stream."""
        return [self._detect_one(picture, at) for picture, at in zip(pictures, at_us, strict=True)]

    def _detect_one(self, picture: Picture, at_us: int) -> Detections:
        small, factor = shrink_to_width(picture, self._settings.width)
        grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        if grey.shape != self._size:
            self._restart(grey.shape)
        raw = self._subtractor.apply(grey, learningRate=self._learning_rate(at_us))
        self._seen += 1
        self._last_us = at_us
        if self._seen <= self._settings.warm_up_pictures:
            return Detections()
        mask = self._clean(np.asarray(raw, dtype=np.uint8))
        share = cv2.countNonZero(mask) / mask.size
        if share > self._settings.light_change:
            self._restart(grey.shape)
            return Detections()
        return self._areas(mask, share=share, factor=factor, picture=picture)

    def _areas(self, mask: Picture, *, share: float, factor: float, picture: Picture) -> Detections:
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        smallest = self._settings.min_area * mask.size
        areas = sorted(
            (row for row in stats[1:count] if row[cv2.CC_STAT_AREA] >= smallest), key=_area, reverse=True
        )
        if not areas:
            return Detections()
        rows = np.array(areas[:_MAX_BOXES], dtype=np.float32)
        boxes = (
            np.column_stack([rows[:, 0], rows[:, 1], rows[:, 0] + rows[:, 2], rows[:, 1] + rows[:, 3]])
            / factor
        )
        solid = rows[:, 4] / (rows[:, 2] * rows[:, 3])
        size_wh = (picture.shape[1], picture.shape[0])
        return Detections(
            boxes_xyxy=clip_boxes(boxes.astype(np.float32), size_wh=size_wh),
            scores=(0.5 + 0.5 * np.clip(solid, 0, 1)).astype(np.float32),
            labels=(MOTION_LABEL,) * len(rows),
            heat=min(1.0, math.sqrt(share)),
        )

    def _clean(self, raw: Picture) -> Picture:
        """Return the mask without shadows and specks, with near parts of one thing joined."""
        mask = np.where(raw == _FOREGROUND, np.uint8(255), np.uint8(0))
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._open)
        return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, self._close), dtype=np.uint8)

    def _learning_rate(self, at_us: int) -> float:
        """Return how much of the background this picture makes: the same per second at any picture rate."""
        if self._seen <= self._settings.warm_up_pictures:
            return -1.0  # OpenCV's own start: the mean of what it saw so far
        elapsed_s = max(0.0, (at_us - self._last_us) / 1e6)
        return min(0.5, 1 - math.pow(1 - _BACKGROUND_SHARE, elapsed_s / _STILL_S))

    def _restart(self, size: tuple[int, ...]) -> None:
        self._subtractor = self._new_subtractor()
        self._seen = 0
        self._size = size

    def _new_subtractor(self) -> cv2.BackgroundSubtractorMOG2:
        return cv2.createBackgroundSubtractorMOG2(
            history=200, varThreshold=self._settings.variance, detectShadows=True
        )


def _area(row: npt.NDArray[np.int32]) -> int:
    return int(row[cv2.CC_STAT_AREA])
