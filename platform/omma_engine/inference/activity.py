"""Whether a scene is quiet, so that keyframes are enough, or something happens in it."""

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

GREY_WIDTH, GREY_HEIGHT = 160, 90

_HOLD_US = 3_000_000  # a scene is quiet after so long without a sign
_COMPARE_US = 500_000  # pictures nearer to each other than this are not compared
_NOISE_FLOOR = 14  # steps of brightness that are no change
_CHANGED_SHARE = 0.003  # of the picture: a person in a yard is about 0.01
_SIZES_KEPT = 300
_SIZES_TO_LEARN = 20
_GROWN_SHARE = 0.01  # of the keyframe: encoders spend up to that on refining a still picture
_AWAKE_SHARE = 4  # of the packets in an awake scene one in so many counts as usual
_VAIN_FACTOR = 1.25  # packets have to be so much larger than those that woke somebody in vain
_VAIN_HALVES_US = 3_600_000_000  # what was learnt from waking in vain counts half after so long


class Activity:
    """Decides for one stream. Signs are changes between pictures, packets that grow, and live tracks.

    Packets alone are a doubtful sign: after a cheap keyframe an encoder spends its bits on refining a still
    picture. Where they woke the detectors in vain, packets of that size are no sign for a while.

    `note_track` may be called by another thread than the rest. Times are capture times in UTC microseconds.
    """

    def __init__(self) -> None:
        self._awake_until_us = 0
        self._tracked_until_us = 0
        self._reference: npt.NDArray[np.uint8] | None = None
        self._reference_us = 0
        self._noise = 2.0
        self._sizes: deque[int] = deque(maxlen=_SIZES_KEPT)
        self._awake_sizes = 0
        self._keyframe_size = 0
        self._alarm: tuple[int, float] | None = None  # when packets woke us, and how large they were
        self._vain_size = 0.0
        self._vain_us = 0
        self._watched: npt.NDArray[np.bool_] | None = None

    def watch_only(self, watched: npt.NDArray[np.bool_] | None) -> None:
        """Look for changes only where this `(90, 160)` array is true, or everywhere. Any thread."""
        self._watched = watched

    def is_awake(self, at_us: int) -> bool:
        """Tell whether every packet is wanted."""
        return at_us < max(self._awake_until_us, self._tracked_until_us)

    def note_track(self, at_us: int) -> None:
        """A track lives, or something moves: stay awake."""
        self._tracked_until_us = max(self._tracked_until_us, at_us + _HOLD_US)

    def note_picture(self, grey: npt.NDArray[np.uint8], at_us: int) -> bool:
        """Compare a `(90, 160)` brightness picture with an earlier one; return whether it changed."""
        blurred = np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), dtype=np.uint8)
        reference, elapsed_us = self._reference, at_us - self._reference_us
        if reference is None or elapsed_us < 0:
            self._reference, self._reference_us = blurred, at_us
            return False
        if elapsed_us < _COMPARE_US:
            return False
        changed = self._differs(blurred, reference)
        self._reference, self._reference_us = blurred, at_us
        if changed:
            self._awake_until_us = at_us + _HOLD_US
            self._alarm = None
        return changed

    def note_sizes(self, sizes: Sequence[tuple[int, int]]) -> bool:
        """Take `(capture_us, bytes)` of packets between keyframes; return whether they grew."""
        if not sizes:
            return False
        at_us = sizes[-1][0]
        self._judge_alarm(at_us)
        mean = sum(size for _, size in sizes) / len(sizes)
        limit = max(self._usual_limit(), self._vain_limit(at_us))
        has_grown = len(self._sizes) >= _SIZES_TO_LEARN and mean > limit
        self._sizes.extend(size for _, size in sizes)
        if has_grown:
            self._awake_until_us = at_us + _HOLD_US
            self._alarm = self._alarm or (at_us, mean)
        return has_grown

    def note_keyframe_size(self, size: int) -> None:
        """Take a keyframe's size: what the whole picture costs, against which a change is small or not."""
        self._keyframe_size = size

    def learn_size(self, size: int) -> None:
        """Take the size of a packet between keyframes that is decoded anyway.

        What goes on for long becomes usual, rain for example, but more slowly than in a quiet scene.
        """
        self._awake_sizes += 1
        if self._awake_sizes % _AWAKE_SHARE == 0:
            self._sizes.append(size)

    def _differs(self, now: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8]) -> bool:
        difference = cv2.absdiff(now, before)
        self._noise += 0.05 * (float(np.median(difference)) - self._noise)
        limit = max(_NOISE_FLOOR, 4 * self._noise)
        changed = difference > limit
        watched = self._watched
        if watched is not None:
            changed &= watched
        return float(np.count_nonzero(changed)) >= _CHANGED_SHARE * difference.size

    def _judge_alarm(self, at_us: int) -> None:
        """Learn from the last time that packets woke us, once it is over."""
        if self._alarm is None or self.is_awake(at_us):
            return
        (alarm_us, size), self._alarm = self._alarm, None
        if self._tracked_until_us < alarm_us:
            self._vain_size = max(size, self._vain_limit(at_us) / _VAIN_FACTOR)
            self._vain_us = at_us

    def _vain_limit(self, at_us: int) -> float:
        """Return the size up to which packets have proved to mean nothing, less what time has worn off."""
        halvings = max(0, at_us - self._vain_us) / _VAIN_HALVES_US
        return _VAIN_FACTOR * self._vain_size * float(0.5**halvings)

    def _usual_limit(self) -> float:
        """Return the size above which packets are unusual: by median and spread, which bursts leave be."""
        if not self._sizes:
            return 0.0
        sizes = np.fromiter(self._sizes, dtype=np.float64)
        median = float(np.median(sizes))
        spread = 1.4826 * float(np.median(np.abs(sizes - median)))  # a standard deviation, were they normal
        return max(1.6 * median, median + 5 * spread, median + _GROWN_SHARE * self._keyframe_size)
