"""What differs between kinds of children: how they are told what to do, and how they say what happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from omma_engine.ports import Claimable, NewsItem

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One object on its way into a child; `payload` is what the dialect's `prepare` made of its spec."""

    object_id: UUID
    epoch: int
    payload: Any


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one object; where it `is_running`, its child goes on all the same."""

    code: str
    detail: str
    is_running: bool = False


class Dialect(Protocol):
    """The words of one kind of children. All but `prepare` run on the loop thread and must not block."""

    def prepare(self, item: Claimable) -> Any:
        """Make what a start needs (resolve names, open secrets); raises `EngineError`."""
        ...

    def child_key(self, item: Claimable, payload: Any) -> str:
        """Name the child that serves this object; objects with one key share a child."""
        ...

    def add(self, assignment: Assignment) -> Line:
        """Return the line that makes a child begin with an object."""
        ...

    def remove(self, object_id: UUID) -> Line | None:
        """Return the line that makes a child leave one object, or None where the child itself must stop."""
        ...

    def adjust(self, before: Claimable, after: Claimable) -> list[Line]:
        """Return the lines that bring a running object from one spec to another of the same fingerprint."""
        ...

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        """Read a `news` line of a child that serves these objects (id → epoch); None: malformed."""
        ...

    def ack(self, item: NewsItem) -> Line:
        """Return the line that tells a child that its news up to this item are in the database."""
        ...

    def trouble(self, item: Claimable, trouble: Trouble, *, epoch: int, at_us: int) -> list[NewsItem]:
        """Say in the child's stead what is wrong (`sequence` -1: nothing to acknowledge)."""
        ...


class Salvager(Protocol):
    """Brings home what dead children left on disk. Runs off the loop thread."""

    def earlier(self, object_id: UUID, before_epoch: int) -> Iterator[tuple[int, list[NewsItem] | None]]:
        """Yield each earlier life of this object that left something, as (epoch, its news).

        None in place of the news: the life goes on, under a worker that was cut off.
        """
        ...

    def after_exit(self, object_id: UUID, epoch: int) -> list[NewsItem] | None:
        """Return the unacknowledged news of one ended life, and what its open files tell beyond them.

        None: it has not let go of its files yet.
        """
        ...

    def unsaid(self, object_id: UUID, epoch: int) -> list[NewsItem]:
        """Return the unacknowledged news of a life that goes on."""
        ...

    def settled(self, object_id: UUID, epoch: int) -> None:
        """Forget the journal of an ended life: all its news are in the database."""
        ...


class NoSalvage:
    """For children that leave nothing on disk."""

    def earlier(self, object_id: UUID, before_epoch: int) -> Iterator[tuple[int, list[NewsItem] | None]]:
        return iter(())

    def after_exit(self, object_id: UUID, epoch: int) -> list[NewsItem] | None:
        return []

    def unsaid(self, object_id: UUID, epoch: int) -> list[NewsItem]:
        return []

    def settled(self, object_id: UUID, epoch: int) -> None:
        return
