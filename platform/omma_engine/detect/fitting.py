"""Bring a picture into a model's input, and what was found there back into the picture."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Picture, Points
from omma_engine.detect.geometry import clip_boxes

_GREY = 114  # what Ultralytics and YOLOX pad with, so what such models were trained on
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)  # torchvision's, for models that want them
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


class Fit(StrEnum):
    """How a picture of other proportions is made to fit."""

    CENTRE = "centre"
    CORNER = "corner"
    STRETCH = "stretch"
    CROP = "crop"


class Tone(StrEnum):
    """What a channel's value is: RGB 0-1, BGR 0-255, or RGB less ImageNet's mean over its deviation."""

    UNIT = "unit"
    RAW = "raw"
    IMAGENET = "imagenet"


@dataclass(frozen=True, slots=True)
class Placement:
    """How a picture of `picture_wh` was put in: scaled by `factor_xy`, then moved by `left`, `top` pixels."""

    picture_wh: tuple[int, int]
    factor_xy: tuple[float, float]
    left: int
    top: int

    def points_in_picture(self, points: Points) -> Points:
        """Return `(..., 2)` points of the input as float32 pixels of the picture, not cut."""
        offset = np.array([self.left, self.top], dtype=np.float32)
        return ((points - offset) / np.array(self.factor_xy, dtype=np.float32)).astype(np.float32)

    def boxes_in_picture(self, boxes_xyxy: Boxes) -> Boxes:
        """Return boxes in pixels of the input as `(N, 4)` float32 pixels of the picture, cut at its edges."""
        corners = self.points_in_picture(boxes_xyxy.reshape(-1, 2))
        return clip_boxes(corners.reshape(-1, 4), size_wh=self.picture_wh)


def place(picture: Picture, *, into: npt.NDArray[np.float32], fit: Fit, tone: Tone) -> Placement:
    """Write the picture into `into`, a `(3, H, W)` float32 array that the caller owns."""
    height, width = into.shape[1:]
    if fit is Fit.STRETCH:
        _write(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), into, tone)
        picture_wh = (picture.shape[1], picture.shape[0])
        return Placement(picture_wh, (width / picture_wh[0], height / picture_wh[1]), 0, 0)
    if fit is Fit.CROP:
        return _place_middle(picture, into, tone)
    return _place_whole(picture, into, fit, tone)


def _place_whole(picture: Picture, into: npt.NDArray[np.float32], fit: Fit, tone: Tone) -> Placement:
    height, width = into.shape[1:]
    picture_height, picture_width = picture.shape[:2]
    factor = min(width / picture_width, height / picture_height)
    inner_wh = (max(1, round(picture_width * factor)), max(1, round(picture_height * factor)))
    left, top = (width - inner_wh[0]) // 2, (height - inner_wh[1]) // 2
    if fit is Fit.CORNER:
        left = top = 0
    into[:] = _GREY if tone is Tone.RAW else _GREY / 255
    scaled = cv2.resize(picture, inner_wh, interpolation=cv2.INTER_LINEAR)
    _write(scaled, into[:, top : top + inner_wh[1], left : left + inner_wh[0]], tone)
    return Placement((picture_width, picture_height), (factor, factor), left, top)


def _place_middle(picture: Picture, into: npt.NDArray[np.float32], tone: Tone) -> Placement:
    """Scale until the picture just covers the input, and cut off what stands over."""
    height, width = into.shape[1:]
    picture_height, picture_width = picture.shape[:2]
    factor = max(width / picture_width, height / picture_height)
    outer_wh = (max(width, round(picture_width * factor)), max(height, round(picture_height * factor)))
    left, top = round((outer_wh[0] - width) / 2), round((outer_wh[1] - height) / 2)
    shrinking = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, outer_wh, interpolation=shrinking)
    _write(scaled[top : top + height, left : left + width], into, tone)
    return Placement((picture_width, picture_height), (factor, factor), -left, -top)


def _write(scaled: npt.NDArray[Any], into: npt.NDArray[np.float32], tone: Tone) -> None:
    if tone is Tone.RAW:
        into[:] = scaled.transpose(2, 0, 1)
        return
    planes = scaled[:, :, ::-1].transpose(2, 0, 1)
    np.multiply(planes, np.float32(1 / 255), out=into, casting="unsafe")
    if tone is Tone.IMAGENET:
        into -= _IMAGENET_MEAN[:, None, None]
        into /= _IMAGENET_STD[:, None, None]
