"""The protocols through which the engine calls back; the applications implement them.

Implementations that run inside a child are named on its command line as `package.module:factory` and must
import nothing but the standard library, `redis` and the engine.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol
from uuid import UUID

from omma_engine.types import CodecInfo, EncodedPacket, PacketSizes


class DemandLevel(IntEnum):
    """What readers of a stream's packets want now."""

    NONE = 0
    KEYFRAMES = 1
    EVERYTHING = 2


class PacketPublisher(Protocol):
    """Puts one stream's packets on the bus while somebody reads. Never blocks and never raises."""

    @property
    def level(self) -> DemandLevel:
        """Return what readers want now; while it is more than nothing, packets are offered without delay."""
        ...

    def set_codec(self, info: CodecInfo) -> None:
        """State the codec; called before the first packet and whenever it changes."""
        ...

    def offer(self, packet: EncodedPacket) -> None:
        """Take one packet: hold the current GOP in memory, and publish as the readers' demand asks."""
        ...

    def close(self) -> None:
        """Let go of connections; bounded to one second."""
        ...


class PacketReader(Protocol):
    """Reads one stream's packets from the bus; a `read` at least each two seconds renews the demand."""

    def read(self, timeout_s: float) -> list[CodecInfo | EncodedPacket | PacketSizes]:
        """Return what has come, in order, or nothing after the timeout; never raises while the bus is away.

        The first packet, and the first after anything was missed, is a keyframe; a `CodecInfo` comes before
        it when the codec is new. At level `KEYFRAMES` there are `PacketSizes` between keyframes, no packets.
        """
        ...

    def set_level(self, level: DemandLevel) -> None:
        """Change what is wanted; when it is raised, the rest of the current GOP follows."""
        ...

    @property
    def missed(self) -> int:
        """How many packets were asked for and not received, since the reader was made."""
        ...

    def close(self) -> None: ...


class ResultPublisher(Protocol):
    """Sends what was found in one frame to whoever watches. Never raises; what cannot be sent is counted."""

    def publish(self, stream_id: UUID, message: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that this worker holds: the fencing number is `epoch`; its block is `epoch >> 20`."""

    kind: str
    object_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimable:
    """What a supervisor may run: an opaque id and the frozen spec to start it with.

    A changed `fingerprint` means that the child must be restarted with the new spec. `is_exclusive`: two
    owners may never work at once, not even while one hands over to the other.
    """

    object_id: UUID
    fingerprint: str
    spec: Any
    is_exclusive: bool = False


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

    def claim(
        self, object_ids: Sequence[UUID], limit: int, *, exclusive: Collection[UUID] = ()
    ) -> list[Lease]:
        """Claim free or expired leases, each with a new epoch block.

        What a draining worker still holds is free too, except for the `exclusive` ones, which it releases.
        """
        ...

    def release(self, leases: Sequence[Lease]) -> None: ...

    def drain(self) -> bool:
        """Offer all our leases to others; return whether another worker has free slots to take them."""
        ...

    def succeeded(self, leases: Sequence[Lease]) -> set[UUID]:
        """Return those whose new owner already does the work."""
        ...

    def fileno(self) -> int | None:
        """Return a descriptor that becomes readable when desired state may have changed; None while away."""
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
