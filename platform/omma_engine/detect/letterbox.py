"""Fit a picture into a model's input without distorting it, and bring boxes back."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Picture
from omma_engine.detect.geometry import clip_boxes

_GREY = 114  # what Ultralytics pads with, so what such models were trained on


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture of `picture_wh` was put in: scaled by `factor`, then moved by `left`, `top` pixels."""

    picture_wh: tuple[int, int]
    factor: float
    left: int
    top: int

    def boxes_in_picture(self, boxes_xyxy: Boxes) -> Boxes:
        """Return boxes in pixels of the input as `(N, 4)` float32 pixels of the picture, cut at its edges."""
        offset = np.array([self.left, self.top, self.left, self.top], dtype=np.float32)
        return clip_boxes(((boxes_xyxy - offset) / self.factor).astype(np.float32), size_wh=self.picture_wh)


def letterbox(picture: Picture, *, into: npt.NDArray[np.float32]) -> Letterbox:
    """Write the picture into `into`, a `(3, H, W)` float32 RGB array in 0-1 that the caller owns."""
    height, width = into.shape[1:]
    picture_height, picture_width = picture.shape[:2]
    factor = min(width / picture_width, height / picture_height)
    inner_wh = (max(1, round(picture_width * factor)), max(1, round(picture_height * factor)))
    left, top = (width - inner_wh[0]) // 2, (height - inner_wh[1]) // 2
    scaled = cv2.resize(picture, inner_wh, interpolation=cv2.INTER_LINEAR)
    into.fill(_GREY / 255)
    inner = into[:, top : top + inner_wh[1], left : left + inner_wh[0]]
    np.multiply(scaled[:, :, ::-1].transpose(2, 0, 1), np.float32(1 / 255), out=inner, casting="unsafe")
    return Letterbox((picture_width, picture_height), factor, left, top)
