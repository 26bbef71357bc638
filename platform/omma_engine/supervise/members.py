"""One object that this worker holds: its lease, its life now, and when its next one is due."""

from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from omma_engine.ports import Claimable, Lease
from omma_engine.supervise.dialect import Trouble
from omma_engine.supervise.restarts import RestartPolicy


class Phase(Enum):
    """Where a member stands."""

    WAITING = "waiting"  # for its due time
    PREPARING = "preparing"  # its payload is being made, off the loop thread
    RUNNING = "running"
    STOPPING = "stopping"  # told to stop; its end follows
    RESTING = "resting"  # came to its own end; starts again only when its fingerprint changes


@dataclass(slots=True)
class Member:
    """Loop thread only; times are microseconds of a monotonic clock."""

    item: Claimable
    lease: Lease
    restarts: RestartPolicy
    epoch: int  # of the last life; the next one takes the next number inside the lease's block
    due_us: int
    phase: Phase = Phase.WAITING
    preparing: "Future[Any] | None" = None
    is_leaving: bool = False  # no longer wanted, or lost: ends for good
    is_lost: bool = False  # another worker holds the lease now
    running_fingerprint: str = ""
    moves_by_us: int | None = None  # it goes on here until its next child is there, or this time
    trouble: Trouble | None = None  # the last one that was told, so that it is told once
    _numbered: int = 0

    @property
    def object_id(self) -> UUID:
        return self.item.object_id

    def next_epoch(self) -> int:
        """Return the number of another life, which no other one gets."""
        self._numbered = max(self._numbered, self.epoch) + 1
        return self._numbered

    @property
    def is_out(self) -> bool:
        """Whether nothing of it runs or is about to."""
        return self.phase in {Phase.WAITING, Phase.RESTING}
