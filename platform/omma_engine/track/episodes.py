"""Motion is no object: all that moves until the picture is quiet again is one track, an episode."""

from omma_engine.detect.base import Detections
from omma_engine.track.base import NO_TRACK, TrackedBox


class EpisodeTracker:
    """Gives all boxes the same key until nothing was seen for a while.

    An episode begins with the second frame in a row that moves: one alone is noise.
    """

    def __init__(self, *, lost_after_s: float = 3.0) -> None:
        self.lost_after_us = round(lost_after_s * 1e6)
        self._key = -1
        self._last_us: int | None = None
        self._frames = 0

    def be_patient(self, seconds: float) -> None:
        """Do nothing: motion does not stand still."""

    def update(self, found: Detections, *, at_us: int) -> list[TrackedBox]:
        if len(found) == 0:
            if self._frames == 1:
                self._frames = 0
            return []
        if self._last_us is None or at_us - self._last_us > self.lost_after_us:
            self._frames = 0
        self._last_us = at_us
        self._frames += 1
        if self._frames == 2:
            self._key += 1
        key = self._key if self._frames >= 2 else NO_TRACK
        return [_tracked(found, index, key) for index in range(len(found))]


def _tracked(found: Detections, index: int, key: int) -> TrackedBox:
    x1, y1, x2, y2 = (float(value) for value in found.boxes_xyxy[index])
    return TrackedBox(key, found.labels[index], float(found.scores[index]), (x1, y1, x2, y2), index)
