"""What the reading thread hands to the packet loop: bounded, and in order."""

import threading
from collections import deque
from dataclasses import dataclass

from omma_engine.errors import SourceError
from omma_engine.sources.base import Delivery, SourceInfo
from omma_engine.types import SourceState

_MOST_BYTES = 24 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """The source is open; deliveries of it follow."""

    info: SourceInfo


@dataclass(frozen=True, slots=True)
class Broken:
    """The source cannot be opened or read any more; `retry_in_s` is when it is tried again at the latest."""

    error: SourceError
    state: SourceState
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Overflowed:
    """Deliveries were dropped, because the loop did not take them; what follows begins with a keyframe."""

    count: int


Item = Opened | Delivery | Broken | Overflowed


class Mailbox:
    """One writer, one taker. When more than 24 MiB wait, the oldest groups of pictures are dropped."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._items: deque[Item] = deque()
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lacks_keyframe = 0  # so many deliveries are dropped that belong to a group already gone
        self._lock = threading.Lock()
        self.dropped = 0

    @property
    def waiting_bytes(self) -> int:
        """Return how much waits to be taken."""
        return self._bytes

    def put(self, item: Opened | Broken) -> None:
        """Append what must not be dropped."""
        with self._lock:
            self._items.append(item)

    def deliver(self, delivery: Delivery) -> None:
        """Append a delivery; where too much waits already, the oldest make room for it."""
        with self._lock:
            if self._lacks_keyframe and not delivery.is_keyframe:
                self._lacks_keyframe += 1
                self.dropped += 1
                return
            if self._lacks_keyframe:
                self._items.append(Overflowed(self._lacks_keyframe))
                self._lacks_keyframe = 0
            self._items.append(delivery)
            self._bytes += delivery.size_bytes
            if self._bytes > self._most_bytes:
                self._drop_oldest()

    def take(self) -> Item | None:
        """Return the oldest item; None where there is none."""
        if not self._items:
            return None
        with self._lock:
            item = self._items.popleft() if self._items else None
            if isinstance(item, Delivery):
                self._bytes -= item.size_bytes
            return item

    def _drop_oldest(self) -> None:
        """Drop from the oldest on until what is left fits and begins with a keyframe."""
        gone, said, kept = 0, 0, deque[Item]()
        while self._items and not self._may_begin_with(self._items[0]):
            item = self._items.popleft()
            if isinstance(item, Delivery):
                gone += 1
                self._bytes -= item.size_bytes
            elif isinstance(item, Overflowed):
                said += item.count
            else:
                kept.append(item)
        self.dropped += gone
        if self._items:
            self._items.extendleft(reversed([Overflowed(gone + said), *kept]))
        else:
            self._items = kept
            self._lacks_keyframe = gone + said

    def _may_begin_with(self, item: Item) -> bool:
        return isinstance(item, Delivery) and item.is_keyframe and self._bytes <= self._most_bytes
