"""What every tracker takes and gives."""

from dataclasses import dataclass
from typing import Protocol

from omma_engine.detect.base import Detections

NO_TRACK = -1


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """A box of this frame, `box_xyxy` in its pixels; `key` is `NO_TRACK` until the tracker is sure.

    `index` is its place among the detections that the tracker was given.
    """

    key: int
    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]
    index: int


class Tracker(Protocol):
    """Gives the boxes of one analytic's frames keys that stay. Used by one thread."""

    lost_after_us: int
    """How long a track may go unseen before it is over."""

    def be_patient(self, seconds: float) -> None:
        """Let tracks go unseen for at least so long from now on; 0 is the tracker's own patience."""
        ...

    def update(self, found: Detections, *, at_us: int) -> list[TrackedBox]:
        """Take the detections of a later frame than any before, and return them with keys.

        Keys are unique within this tracker and never come back once a track is over.
        """
        ...
