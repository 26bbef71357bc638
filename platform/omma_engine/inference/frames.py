"""Pictures on their way from a stream's thread to the analysis: at most two, the oldest goes first."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from uuid import UUID

from omma_engine.detect.base import Picture

CAPACITY = 2


@dataclass(frozen=True, slots=True)
class PictureToAnalyse:
    """A picture of one stream. `is_quiet`: nothing moves, so not every detector need look at it."""

    stream_id: UUID
    capture_us: int
    picture: Picture
    size_wh: tuple[int, int]
    is_quiet: bool


class PictureQueue:
    """Holds what waits to be analysed; written by the stream's thread, read by the analysing one."""

    def __init__(self) -> None:
        self.dropped = 0
        self._items: deque[PictureToAnalyse] = deque()
        self._has_room = threading.Condition()

    def put(self, item: PictureToAnalyse, *, wait_s: float = 0.0) -> None:
        """Add a picture; when there is no room within `wait_s`, drop the oldest one."""
        with self._has_room:
            deadline = time.monotonic() + wait_s
            while len(self._items) >= CAPACITY and (left_s := deadline - time.monotonic()) > 0:
                self._has_room.wait(left_s)
            if len(self._items) >= CAPACITY:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)

    def take(self) -> PictureToAnalyse | None:
        """Return the oldest picture, or None."""
        with self._has_room:
            if not self._items:
                return None
            self._has_room.notify()
            return self._items.popleft()

    def __len__(self) -> int:
        return len(self._items)
