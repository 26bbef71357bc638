"""People on their feet, by OpenCV's histogram of oriented gradients (Dalal and Triggs, CVPR 2005)."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Detections, Picture
from omma_engine.detect.geometry import clip_boxes, drop_contained, shrink_to_width, surviving_boxes
from omma_engine.detect.settings import PeopleSettings

PERSON_LABEL = "person"
_FIGURE_PX = 180  # height of a figure that must be found
_WINDOW_FIGURE_PX = 100  # height of a figure in the 64 x 128 window the classifier was trained on
_NARROWEST_PX = 400
_MARGIN_X, _MARGIN_TOP, _MARGIN_BOTTOM = 0.2, 0.12, 0.12  # the window's rim around the figure, as shares


class PeopleDetector:
    """Finds standing and walking people of about a seventh of the picture's height and more."""

    labels = (PERSON_LABEL,)
    max_batch = 1

    def __init__(self, settings: PeopleSettings | None = None) -> None:
        self._settings = settings or PeopleSettings()
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), dtype=np.float32))

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return the people of each picture, in order."""
        return [self._detect_one(picture) for picture in pictures]

    def _detect_one(self, picture: Picture) -> Detections:
        small, factor = shrink_to_width(picture, self._work_width(picture.shape[1]))
        if small.shape[0] < 128 or small.shape[1] < 64:
            return Detections()  # smaller than the classifier's window
        windows, margins = self._hog.detectMultiScale(
            cv2.cvtColor(small, cv2.COLOR_BGR2GRAY),
            winStride=(self._settings.stride_px, self._settings.stride_px),
            padding=(8, 8),
            scale=self._settings.pyramid_step,
            groupThreshold=0,
        )
        if len(windows) == 0:
            return Detections()
        scores = confidence_of_margin(np.asarray(margins, dtype=np.float32).reshape(-1))
        boxes = _figures(np.asarray(windows, dtype=np.float32)) / np.float32(factor)
        return self._thin_out(clip_boxes(boxes, size_wh=(picture.shape[1], picture.shape[0])), scores)

    def _thin_out(self, boxes: Boxes, scores: npt.NDArray[np.float32]) -> Detections:
        one_class = np.zeros(len(boxes), dtype=np.int64)
        kept = surviving_boxes(boxes, scores, one_class, score_floor=0.0, overlap=self._settings.overlap)
        boxes, scores = boxes[kept], scores[kept]
        apart = drop_contained(boxes, share=0.7)  # head-and-shoulders windows inside a whole figure
        return Detections(boxes[apart], scores[apart], (PERSON_LABEL,) * int(apart.sum()))

    def _work_width(self, width: int) -> int:
        """Return the width at which a figure of `_FIGURE_PX` just fills the classifier's window."""
        wanted = round(width * _WINDOW_FIGURE_PX / _FIGURE_PX)
        return min(self._settings.max_width, max(_NARROWEST_PX, wanted))


def confidence_of_margin(margins: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Map distances from the SVM's plane to 0-1: 0.6 becomes one half.

    On a video of people walking by, true windows have a median margin of 1.0, which becomes 0.69.
    """
    return np.asarray(1 / (1 + np.exp(-2.0 * (margins - 0.6))), dtype=np.float32)


def _figures(windows_xywh: npt.NDArray[np.float32]) -> Boxes:
    """Return the boxes of the figures inside the classifier's windows."""
    x, y, width, height = windows_xywh.T
    left, right = x + width * _MARGIN_X, x + width * (1 - _MARGIN_X)
    top, bottom = y + height * _MARGIN_TOP, y + height * (1 - _MARGIN_BOTTOM)
    return np.column_stack([left, top, right, bottom]).astype(np.float32)
