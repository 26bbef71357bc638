"""Reading back what ended lives left on disk, beside the loop thread."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omma_engine.ports import NewsItem
from omma_engine.supervise.dialect import Salvager
from omma_engine.supervise.lanes import Lane
from omma_engine.supervise.newsroom import Life

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read back of one life; `is_held`: nothing yet, it still holds its files."""

    life: Life
    items: list[NewsItem]
    is_over: bool = True
    is_held: bool = False


@dataclass(slots=True)
class Salvages:
    """The salvages under way. `on_done` is called from any thread when there is something to take."""

    salvager: Salvager
    lane: Lane
    on_done: Callable[[], None]
    _open: list[tuple[UUID, "Future[list[Salvaged]]"]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._open)

    def after_exit(self, life: Life) -> None:
        """Read what this life left unacknowledged."""
        self._submit(life[0], lambda: [_read_back(life, self.salvager.after_exit(*life))])

    def unsaid(self, life: Life) -> None:
        """Read what a living life could not say."""
        self._submit(life[0], lambda: [Salvaged(life, self.salvager.unsaid(*life), is_over=False)])

    def earlier(self, object_id: UUID, before_epoch: int) -> None:
        """Read what all earlier lives of an object left on our volumes."""
        salvager = self.salvager
        self._submit(
            object_id,
            lambda: [
                _read_back((object_id, epoch), items)
                for epoch, items in salvager.earlier(object_id, before_epoch)
            ],
        )

    def take(self) -> list[Salvaged]:
        """Return what has been read since."""
        taken: list[Salvaged] = []
        still_open = []
        for object_id, future in self._open:
            if not future.done():
                still_open.append((object_id, future))
            elif future.exception() is not None:
                logger.error("what %s left could not be read: %s", object_id, future.exception())
            else:
                taken.extend(future.result())
        self._open = still_open
        return taken

    def settle(self, lives: list[Life]) -> None:
        """Forget the journals of ended lives whose news are all in the database."""
        for life in lives:
            self.lane.submit(_settling(self.salvager, life))

    def _submit(self, object_id: UUID, call: Callable[[], Any]) -> None:
        future = self.lane.submit(call)
        future.add_done_callback(lambda _: self.on_done())
        self._open.append((object_id, future))


def _read_back(life: Life, items: list[NewsItem] | None) -> Salvaged:
    return Salvaged(life, items or [], is_over=items is not None, is_held=items is None)


def _settling(salvager: Salvager, life: Life) -> Callable[[], None]:
    return lambda: salvager.settled(*life)
