"""Objects, by ByteTrack (Zhang et al., ECCV 2022) as the `trackers` library has it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import supervision
from trackers import ByteTrackTracker

from omma_engine.detect.base import Detections
from omma_engine.track.base import NO_TRACK, TrackedBox

_LIBRARY_FPS = 30  # `lost_track_buffer` counts pictures at this rate
_ROW = "row"  # of a box among the detections, carried through the library


class ByteTracker:
    """One ByteTrack a label, so that a dog never becomes the person it walks with.

    Boxes at `min_confidence` or more begin tracks; weaker ones only carry existing tracks on.
    """

    def __init__(self, *, rate_fps: float, min_confidence: float, lost_after_s: float = 2.0) -> None:
        self.lost_after_us = round(lost_after_s * 1e6)
        self._rate_fps = rate_fps
        self._min_confidence = min_confidence
        self._lost_after_s = self._patience_s = lost_after_s
        self._by_label: dict[str, ByteTrackTracker] = {}
        self._last_us = -1

    def be_patient(self, seconds: float) -> None:
        patience_s = max(seconds, self._lost_after_s)
        if patience_s == self._patience_s:
            return
        self._patience_s = patience_s
        self.lost_after_us = round(patience_s * 1e6)
        for tracker in self._by_label.values():
            tracker.maximum_time_without_update = patience_s

    def update(self, found: Detections, *, at_us: int) -> list[TrackedBox]:
        if at_us <= self._last_us:
            return []
        self._last_us = at_us
        labels = np.array(found.labels, dtype=object)
        boxes: list[TrackedBox] = []
        strong = {
            label for label, score in zip(found.labels, found.scores, strict=True) if self._begins(score)
        }
        followed = {label for label, tracker in self._by_label.items() if tracker.tracks}
        for label in sorted(strong | followed):  # weak boxes without a track to carry on concern nobody
            boxes += self._update_label(label, found, np.flatnonzero(labels == label), at_us)
        return boxes

    def _begins(self, score: float) -> bool:
        return score >= self._min_confidence

    def _update_label(
        self, label: str, found: Detections, rows: npt.NDArray[np.intp], at_us: int
    ) -> Iterator[TrackedBox]:
        tracker = self._by_label.get(label)
        if tracker is None:
            tracker = self._by_label[label] = self._new_tracker()
        tracked = tracker.update(_as_supervision(found, rows), timestamp=at_us / 1e6)
        for box, confidence, number, index in zip(tracked.xyxy, *_marks(tracked), strict=True):
            x1, y1, x2, y2 = (float(value) for value in box)
            yield TrackedBox(
                self._key(label, int(number)), label, float(confidence), (x1, y1, x2, y2), int(index)
            )

    def _key(self, label: str, number: int) -> int:
        """Return one key for what a label's tracker numbers by itself."""
        if number == NO_TRACK:
            return NO_TRACK
        return (list(self._by_label).index(label) << 32) | number

    def _new_tracker(self) -> ByteTrackTracker:
        tracker = ByteTrackTracker(
            lost_track_buffer=round(self._lost_after_s * _LIBRARY_FPS),
            frame_rate=self._rate_fps,
            track_activation_threshold=self._min_confidence,
            high_conf_det_threshold=self._min_confidence,
            minimum_consecutive_frames=2,
            minimum_iou_threshold=0.1,
        )
        tracker.maximum_time_without_update = self._patience_s
        return tracker


def _as_supervision(found: Detections, rows: npt.NDArray[np.intp]) -> supervision.Detections:
    return supervision.Detections(
        xyxy=found.boxes_xyxy[rows],
        confidence=found.scores[rows],
        class_id=np.zeros(len(rows), dtype=int),
        data={_ROW: rows},
    )


def _marks(tracked: supervision.Detections) -> tuple[list[float], list[int], list[int]]:
    """Return confidences, numbers and rows; the library leaves them out when nothing was found."""
    if tracked.confidence is None or tracked.tracker_id is None or _ROW not in tracked.data:
        return [], [], []
    return tracked.confidence.tolist(), tracked.tracker_id.tolist(), list(tracked.data[_ROW])
