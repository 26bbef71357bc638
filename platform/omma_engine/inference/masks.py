"""Polygons painted into arrays."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from omma_engine.rules import Polygon


def painted(polygons: Iterable[Polygon], *, size_wh: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return a `(height, width)` array that is true inside the polygons, given in parts of the picture."""
    width, height = size_wh
    canvas = np.zeros((height, width), dtype=np.uint8)
    for polygon in polygons:
        corners = np.array(polygon, dtype=np.float32) * np.array([width, height], dtype=np.float32)
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], 1)
    return canvas.astype(np.bool_)
