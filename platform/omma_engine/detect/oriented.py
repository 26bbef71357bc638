"""Boxes that are turned: their corners, how much they overlap, and which of them stay.

Overlap is that of the Gaussians with the boxes' own spread, one minus their Hellinger distance (Llerena et
al., "Gaussian Bounding Boxes and Probabilistic Intersection-over-Union", 2021), which is what models with
oriented boxes are trained and evaluated with.
"""

import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Boxes, Points

Floats = npt.NDArray[np.float32]

_SMALL = 1e-7
_MOST = 1000  # boxes that are compared with each other


def oriented_corners(boxes_cxcywh: Boxes, angles: Floats) -> Points:
    """Return `(N, 4, 2)` corners of boxes turned by `angles` radians around their centres."""
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    along = boxes_cxcywh[:, 2:3] / 2 * np.concatenate([cosine, sine], axis=1)
    across = boxes_cxcywh[:, 3:4] / 2 * np.concatenate([-sine, cosine], axis=1)
    signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    corners = [boxes_cxcywh[:, :2] + one * along + other * across for one, other in signs]
    return np.stack(corners, axis=1).astype(np.float32)


def surviving_oriented(
    boxes_cxcywh: Boxes,
    angles: Floats,
    scores: Floats,
    classes: npt.NDArray[np.int64],
    *,
    overlap: float,
) -> npt.NDArray[np.int64]:
    """Return the indices of boxes that no better one of their class overlaps by more, best first."""
    order = np.argsort(-scores, kind="stable")[:_MOST].astype(np.int64)
    shares = oriented_overlaps(boxes_cxcywh[order], angles[order])
    is_same = classes[order][:, None] == classes[order][None, :]
    is_worse = np.triu(np.ones_like(is_same), k=1)
    is_covered = ((shares > overlap) & is_same & is_worse).any(axis=0)
    return np.asarray(order[~is_covered], dtype=np.int64)


def oriented_overlaps(boxes_cxcywh: Boxes, angles: Floats) -> npt.NDArray[np.float64]:
    """Return `(N, N)` overlaps of each box with each, 0 to 1."""
    x, y, width, height = boxes_cxcywh.astype(np.float64).T
    long, short = width**2 / 12, height**2 / 12  # variances of an even spread over the sides
    cosine, sine = np.cos(angles.astype(np.float64)), np.sin(angles.astype(np.float64))
    across = long * cosine**2 + short * sine**2
    down = long * sine**2 + short * cosine**2
    tilt = (long - short) * cosine * sine
    sums = [values[:, None] + values[None, :] for values in (across, down, tilt)]
    dx, dy = x[:, None] - x[None, :], y[:, None] - y[None, :]
    common = sums[0] * sums[1] - sums[2] ** 2
    apart = (sums[0] * dy**2 + sums[1] * dx**2 - 2 * sums[2] * dx * dy) / (common + _SMALL) / 4
    own = np.clip(across * down - tilt**2, 0, None)
    unlike = np.log(common / (4 * np.sqrt(own[:, None] * own[None, :]) + _SMALL) + _SMALL) / 2
    distance = np.clip(apart + unlike, _SMALL, 100)  # Bhattacharyya's
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance) + _SMALL))
