"""The contract of every detector."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""`(H, W, 3)` uint8, BGR, C-contiguous."""

Boxes = npt.NDArray[np.float32]
"""`(N, 4)` float32, `x1 y1 x2 y2` in pixels of the picture that was given, `x2 > x1` and `y2 > y1`."""


Points = npt.NDArray[np.float32]
"""`(..., 2)` float32, `x y` in pixels of the picture that was given."""


def no_boxes() -> Boxes:
    """Return an empty `(0, 4)` array."""
    return np.zeros((0, 4), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Detections:
    """What was found in one picture.

    `boxes_xyxy` is `(N, 4)` float32 in pixels of the picture, inside it; `scores` is `(N,)` float32 in 0-1;
    `labels` has N names. `heat` is how much of the picture moves, 0-1, where the detector measures it.
    Where the model gives them: `outlines` are N `(P, 2)` polygons (a mask's, or an oriented box' corners),
    `keypoints` is `(N, K, 3)`: x, y and how sure.
    """

    boxes_xyxy: Boxes = field(default_factory=no_boxes)
    scores: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    labels: tuple[str, ...] = ()
    heat: float = 0.0
    outlines: tuple[Points, ...] | None = None
    keypoints: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.boxes_xyxy.shape != (count, 4) or self.scores.shape != (count,):
            raise ValueError(
                f"expected ({count}, 4) boxes and ({count},) scores for {count} labels, "
                f"got {self.boxes_xyxy.shape} and {self.scores.shape}"
            )
        for name, values in (("outlines", self.outlines), ("keypoints", self.keypoints)):
            if values is not None and len(values) != count:
                raise ValueError(f"expected {count} {name}, got {len(values)}")

    def __len__(self) -> int:
        return len(self.labels)

    def keep(self, mask: npt.NDArray[np.bool_]) -> "Detections":
        """Return those for which the `(N,)` mask is true."""
        chosen = [int(index) for index in np.flatnonzero(mask)]
        return Detections(
            boxes_xyxy=self.boxes_xyxy[mask],
            scores=self.scores[mask],
            labels=tuple(self.labels[index] for index in chosen),
            heat=self.heat,
            outlines=None if self.outlines is None else tuple(self.outlines[index] for index in chosen),
            keypoints=None if self.keypoints is None else self.keypoints[mask],
        )


class Detector(Protocol):
    """Finds things in pictures. One thread at a time; a detector with memory belongs to one stream."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that it can give."""
        ...

    @property
    def max_batch(self) -> int:
        """How many pictures one call can take at no loss; 1 where the model has a fixed batch."""
        ...

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return one `Detections` a picture, in order.

        The pictures may differ in size and are not kept. `at_us` are their capture times. Raises
        `DetectorError` when the model fails; the caller may go on with other pictures.
        """
        ...
