"""Frontal faces, by OpenCV's Haar cascade (Viola and Jones, CVPR 2001)."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from omma_engine.detect.base import Detections, Picture
from omma_engine.detect.geometry import clip_boxes, shrink_to_width
from omma_engine.detect.settings import FaceSettings
from omma_engine.errors import DetectorError

FACE_LABEL = "face"
_CASCADE = "haarcascade_frontalface_default.xml"
_SURE_WEIGHT = 8.0  # the last stage's weight at which a face is all but certain


class FaceDetector:
    """Finds faces that look into the camera."""

    labels = (FACE_LABEL,)
    max_batch = 1

    def __init__(self, settings: FaceSettings | None = None) -> None:
        self._settings = settings or FaceSettings()
        path = Path(cv2.__file__).parent / "data" / _CASCADE
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise DetectorError(f"expected OpenCV's face cascade at {path}, and it cannot be read")

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return the faces of each picture, in order."""
        return [self._detect_one(picture) for picture in pictures]

    def _detect_one(self, picture: Picture) -> Detections:
        small, factor = shrink_to_width(picture, self._settings.max_width)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        side = max(24, round(grey.shape[0] * self._settings.min_face))
        squares, _, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=1.1,
            minNeighbors=self._settings.neighbours,
            minSize=(side, side),
            outputRejectLevels=True,
        )
        if len(squares) == 0:
            return Detections()
        boxes = np.asarray(squares, dtype=np.float32) / np.float32(factor)
        boxes[:, 2:] += boxes[:, :2]
        scores = 0.5 + 0.5 * np.clip(np.asarray(weights, dtype=np.float32).reshape(-1) / _SURE_WEIGHT, 0, 1)
        return Detections(
            clip_boxes(boxes, size_wh=(picture.shape[1], picture.shape[0])),
            scores.astype(np.float32),
            (FACE_LABEL,) * len(boxes),
        )
