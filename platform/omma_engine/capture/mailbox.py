"""What the reading thread hands to the packet loop: bounded, in order, without locks."""

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
    """The source cannot be opened or read any more."""

    error: SourceError
    state: SourceState


@dataclass(frozen=True, slots=True)
class Overflowed:
    """Deliveries were dropped, because the loop did not take them."""

    count: int


Item = Opened | Delivery | Broken | Overflowed


class Mailbox:
    """One writer, one taker. When 24 MiB wait, deliveries are dropped up to the next keyframe that fits."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._items: deque[Item] = deque()
        self._most_bytes = most_bytes
        self._put_bytes = 0  # written by the writer only
        self._taken_bytes = 0  # written by the taker only
        self._dropped_now = 0
        self.dropped = 0

    def put(self, item: Opened | Broken) -> None:
        """Append what must not be dropped."""
        self._items.append(item)

    def deliver(self, delivery: Delivery) -> None:
        """Append a delivery, or drop it where too much waits already."""
        is_full = self._put_bytes - self._taken_bytes > self._most_bytes
        if is_full or (self._dropped_now and not delivery.is_keyframe):
            self._dropped_now += 1
            self.dropped += 1
            return
        if self._dropped_now:
            self._items.append(Overflowed(self._dropped_now))
            self._dropped_now = 0
        self._put_bytes += delivery.size_bytes
        self._items.append(delivery)

    def take(self) -> Item | None:
        """Return the oldest item; None where there is none."""
        try:
            item = self._items.popleft()
        except IndexError:
            return None
        if isinstance(item, Delivery):
            self._taken_bytes += item.size_bytes
        return item
