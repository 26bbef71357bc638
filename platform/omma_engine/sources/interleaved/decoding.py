"""When pictures are decoded: RTP tells only when they are shown."""

from bisect import insort
from collections import deque

_MOST_REORDERED = 8
_FRAME_TICKS = 3_000
_JUMP_TICKS = 90_000
"""What is further away is no reordering: the camera's clock jumped, or pictures stayed away."""


class DecodeTimes:
    """Gives each picture a decoding time: pictures are decoded in the order that they come in, evenly, and
    never after they are shown. Ticks of 1/90000 s; one thread.

    The n-th picture is decoded when the n-th in the order of showing, held back by the depth of reordering,
    is shown. A depth that nobody stated is learnt from the first picture that comes out of order.
    """

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._shown: list[int] = []  # of the latest pictures, those not used yet as decoding times
        self._recent: deque[int] = deque(maxlen=2 * _MOST_REORDERED)
        self._latest: int | None = None
        self._last = 0

    def deepen(self, depth: int) -> None:
        """Take a depth that was stated since."""
        self._depth = max(self._depth, depth)

    def of(self, pts: int) -> int:
        """Return the decoding time of the next picture, which is shown at `pts`."""
        if self._latest is None or abs(pts - self._latest) > _JUMP_TICKS:
            return self._begin(pts)
        if pts > self._latest and not self._depth:
            self._shown = [pts]
            self._recent.append(pts)
            self._latest = self._last = pts
            return pts
        insort(self._shown, pts)
        shown_later = sum(each > pts for each in self._recent)
        self._recent.append(pts)
        self._depth = max(self._depth, min(shown_later, _MOST_REORDERED))
        self._latest = max(self._latest, pts)
        wanted = self._last + 1
        if len(self._shown) > self._depth:
            wanted = max(wanted, self._shown.pop(0))
        self._last = min(wanted, max(pts, self._last + 1))
        return self._last

    def _begin(self, pts: int) -> int:
        self._shown, self._latest = [pts], pts
        self._recent.clear()
        self._recent.append(pts)
        self._last = pts - self._depth * _FRAME_TICKS
        return self._last
