"""News on their way into the database: in order, in memory until committed, and acknowledged afterwards."""

from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from omma_engine.ports import NewsItem

Life = tuple[UUID, int]  # an object under one epoch

BLOCK_BITS = 20  # a claim advances the epoch by 2^20; the fence compares blocks


def block_of(epoch: int) -> int:
    """Return the fencing block of an epoch.

    >>> block_of((7 << 20) + 3)
    7
    """
    return epoch >> BLOCK_BITS


class Newsroom:
    """Two queues: news to commit under the fence, and what older epochs left, to fill holes with."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._fresh: deque[NewsItem] = deque()
        self._old: deque[NewsItem] = deque()
        self._waiting: Counter[Life] = Counter()  # items in either queue
        self._ended: set[Life] = set()  # lives to settle once nothing of them waits
        self.relieved: set[Life] = set()  # lives whose objects are others' now: they fill holes only
        self.behind: set[Life] = set()  # lives whose news did not fit: their journals must be read again

    def __len__(self) -> int:
        return len(self._fresh) + len(self._old)

    def add(self, item: NewsItem) -> None:
        """Take a living child's item; beyond the limit it stays in the child's journal only."""
        if len(self) >= self._limit:
            self.behind.add((item.object_id, item.epoch))
            return
        is_relieved = (item.object_id, item.epoch) in self.relieved
        (self._old if is_relieved else self._fresh).append(item)
        self._waiting[item.object_id, item.epoch] += 1

    def add_salvaged(self, life: Life, items: list[NewsItem], *, is_old: bool) -> list[Life]:
        """Take what was read back for an ended life; returns the life if there is nothing to wait for."""
        (self._old if is_old else self._fresh).extend(items)
        self._waiting[life] += len(items)
        self._ended.add(life)
        return self._settle({life})

    def batches(self, limit: int) -> tuple[list[NewsItem], list[NewsItem]]:
        """Return the next items (fresh, old) without taking them out."""
        return list(islice(self._fresh, limit)), list(islice(self._old, limit))

    def committed(self, items: list[NewsItem], fenced: set[UUID]) -> tuple[list[NewsItem], list[Life]]:
        """Take out a committed batch; what was fenced out moves to the old queue.

        Returns the last item per life, to be acknowledged, and the ended lives of which nothing waits.
        """
        kept = []
        for item in items:
            self._fresh.popleft()
            if item.object_id in fenced:
                self._old.append(item)
            else:
                kept.append(item)
        return last_per_life(kept), self._count_down(kept)

    def filled(self, items: list[NewsItem]) -> tuple[list[NewsItem], list[Life]]:
        """Take out a batch of old news that is in the database now, or covered by newer."""
        for _ in items:
            self._old.popleft()
        return last_per_life(items), self._count_down(items)

    def _count_down(self, items: list[NewsItem]) -> list[Life]:
        lives = {(item.object_id, item.epoch) for item in items}
        self._waiting.subtract((item.object_id, item.epoch) for item in items)
        return self._settle(lives)

    def _settle(self, lives: set[Life]) -> list[Life]:
        empty = [life for life in lives if self._waiting[life] <= 0]
        for life in empty:
            del self._waiting[life]
        settled = [life for life in empty if life in self._ended]
        self._ended.difference_update(settled)
        self.relieved.difference_update(settled)
        return settled


def last_per_life(items: Iterable[NewsItem]) -> list[NewsItem]:
    """Return the item with the highest sequence of each life, without those nobody waits for."""
    last: dict[Life, NewsItem] = {}
    for item in items:
        life = (item.object_id, item.epoch)
        if item.sequence >= 0 and (life not in last or last[life].sequence < item.sequence):
            last[life] = item
    return list(last.values())
