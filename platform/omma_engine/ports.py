"""The protocols through which the engine calls back; the applications implement them.

Implementations that run inside a child are named on its command line as `package.module:factory` and must
import nothing but the standard library, `redis` and the engine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol
from uuid import UUID

from omma_engine.types import CodecInfo, EncodedPacket


class DemandLevel(IntEnum):
    """What readers of a stream's packets want now."""

    NONE = 0
    KEYFRAMES = 1
    EVERYTHING = 2


class PacketPublisher(Protocol):
    """Puts one stream's packets on the bus while somebody reads. Never blocks and never raises."""

    def set_codec(self, info: CodecInfo) -> None:
        """State the codec; called before the first packet and whenever it changes."""
        ...

    def offer(self, packet: EncodedPacket) -> None:
        """Take one packet: hold the current GOP in memory, and publish as the readers' demand asks."""
        ...

    def close(self) -> None:
        """Let go of connections; bounded to one second."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that this worker holds: the fencing number is `epoch`; its block is `epoch >> 20`."""

    kind: str
    object_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimable:
    """What a supervisor may run: an opaque id and the frozen spec to start it with.

    A changed `fingerprint` means that the child must be restarted with the new spec.
    """

    object_id: UUID
    fingerprint: str
    spec: Any


class LeaseStore(Protocol):
    """Leases on the database's clock. Every call is bounded and raises `ConnectionError` when it is away."""

    def connect(self) -> None: ...
    def close(self) -> None: ...
    def desired(self) -> Sequence[Claimable]:
        """Return all that should run now, whoever owns it."""
        ...

    def renew(self, leases: Sequence[Lease]) -> set[UUID]:
        """Renew all leases in one statement and return the ids that are still ours."""
        ...

    def claim(self, object_ids: Sequence[UUID], limit: int) -> list[Lease]:
        """Claim free or expired leases, each with a new epoch block."""
        ...

    def release(self, leases: Sequence[Lease]) -> None: ...

    def wait_for_news(self, timeout_s: float) -> bool:
        """Wait for a NOTIFY that desired state changed; return whether one came."""
        ...


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One line of a child's journal: fenced by `epoch`, idempotent by (`object_id`, `epoch`, `sequence`)."""

    object_id: UUID
    epoch: int
    sequence: int
    payload: dict[str, Any]


class NewsSink(Protocol):
    """Commits children's news. Raises `ConnectionError` when the database is away; nothing is lost then."""

    def commit(self, items: Iterable[NewsItem]) -> set[UUID]:
        """Commit all items in one transaction and return the ids whose epoch was fenced out."""
        ...
