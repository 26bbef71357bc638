"""Which boxes belong to a picture: the results of each analytic, matched by capture time."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from omma_engine.live.pictures import DrawnBox

KEPT = 64
MATCH_US = 400_000
AHEAD_US = 20_000  # a result may be this much newer than the picture


class Overlays:
    """The newest results of a stream."""

    def __init__(self) -> None:
        self._frames: deque[Mapping[str, Any]] = deque(maxlen=KEPT)

    def take(self, frame: Mapping[str, Any]) -> None:
        self._frames.append(frame)

    def boxes_at(self, capture_us: int) -> list[DrawnBox]:
        """Return the boxes of each analytic's newest result that is not newer than the picture."""
        newest: dict[str, Mapping[str, Any]] = {}
        for frame in self._frames:
            at_us = frame.get("capture_us", 0)
            if capture_us - MATCH_US <= at_us <= capture_us + AHEAD_US:
                newest[str(frame.get("analytic_id"))] = frame
        return [_drawn(box) for frame in newest.values() for box in frame.get("boxes", ())]


def _drawn(box: Mapping[str, Any]) -> DrawnBox:
    x1, y1, x2, y2 = box["box"]
    label = str(box["label"])
    number = "" if box.get("track") is None else f" {box['track']}"
    text = "" if label == "motion" else f"{label}{number} {round(float(box['confidence']) * 100)}%"
    return DrawnBox((x1, y1, x2, y2), label, text)
