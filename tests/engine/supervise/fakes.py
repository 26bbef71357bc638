"""A supervisor with everything around it in memory, and a clock that a test moves."""

import contextlib
import itertools
import json
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omma_engine.errors import SourceError
from omma_engine.ports import Claimable, Lease, NewsItem
from omma_engine.supervise import Supervisor, SupervisorConfig
from omma_engine.supervise.dialect import Assignment, Line, Trouble
from omma_engine.supervise.lanes import InlineLane, Lane
from omma_engine.supervise.spawning import Exit, Spawned
from omma_engine.supervise.supervisor import Ports
from tests.clocks import FakeClock

LEASE_US = 6_000_000


@dataclass
class FakeDatabase:
    """The lease table and the committed news, shared by the stores of several workers."""

    clock: FakeClock
    is_up: bool = True
    wanted: dict[UUID, Claimable] = field(default_factory=dict)
    epochs: dict[UUID, int] = field(default_factory=dict)
    owners: dict[UUID, tuple[str, int]] = field(default_factory=dict)  # object → worker, lease until
    committed: list[NewsItem] = field(default_factory=list)
    filled: list[NewsItem] = field(default_factory=list)
    slots: dict[str, int] = field(default_factory=dict)
    draining: set[str] = field(default_factory=set)
    workers: "list[Worker]" = field(default_factory=list)

    def want(self, *object_ids: UUID, fingerprint: str = "1", is_exclusive: bool = False) -> None:
        for object_id in object_ids:
            spec = {"id": str(object_id)}
            self.wanted[object_id] = Claimable(object_id, fingerprint, spec, is_exclusive)

    def owner_of(self, object_id: UUID) -> str:
        return self.owners.get(object_id, ("", 0))[0]

    def steal(self, object_id: UUID, worker: str) -> None:
        """Give a lease away under its owner, as after a partition."""
        self.epochs[object_id] = ((self.epochs[object_id] >> 20) + 1) << 20
        self.owners[object_id] = (worker, self.clock.monotonic_us() + LEASE_US)

    def check(self) -> None:
        if not self.is_up:
            raise ConnectionError("no database")


@dataclass
class FakeStore:
    """One worker's view of the lease table."""

    database: FakeDatabase
    worker: str
    successor_works: bool = True

    def connect(self) -> None:
        self.database.check()

    def close(self) -> None:
        return

    def fileno(self) -> int | None:
        return None

    def desired(self) -> Sequence[Claimable]:
        self.database.check()
        return list(self.database.wanted.values())

    def renew(self, leases: Sequence[Lease]) -> set[UUID]:
        self.database.check()
        kept = {
            lease.object_id
            for lease in leases
            if self.database.owner_of(lease.object_id) == self.worker
            and self.database.epochs[lease.object_id] >> 20 == lease.epoch >> 20
        }
        for object_id in kept:
            self.database.owners[object_id] = (self.worker, self.database.clock.monotonic_us() + LEASE_US)
        return kept

    def claim(
        self, object_ids: Sequence[UUID], limit: int, *, exclusive: Collection[UUID] = ()
    ) -> list[Lease]:
        self.database.check()
        free = [one for one in object_ids if self._is_free(one, is_shared=one not in exclusive)][:limit]
        leases = []
        for object_id in free:
            epoch = ((self.database.epochs.get(object_id, 0) >> 20) + 1) << 20
            self.database.epochs[object_id] = epoch
            self.database.owners[object_id] = (self.worker, self.database.clock.monotonic_us() + LEASE_US)
            leases.append(Lease("source", object_id, epoch))
        return leases

    def release(self, leases: Sequence[Lease]) -> None:
        self.database.check()
        for lease in leases:
            if self.database.owner_of(lease.object_id) == self.worker:
                del self.database.owners[lease.object_id]

    def drain(self) -> bool:
        self.database.check()
        self.database.draining.add(self.worker)
        return any(
            name != self.worker and slots > sum(owner == name for owner, _ in self.database.owners.values())
            for name, slots in self.database.slots.items()
        )

    def succeeded(self, leases: Sequence[Lease]) -> set[UUID]:
        return {lease.object_id for lease in leases} if self.successor_works else set()

    def _is_free(self, object_id: UUID, *, is_shared: bool) -> bool:
        owner, until = self.database.owners.get(object_id, ("", 0))
        is_over = not owner or until < self.database.clock.monotonic_us()
        return is_over or (is_shared and owner in self.database.draining and owner != self.worker)


@dataclass
class FakeSink:
    """Commits under the fence."""

    database: FakeDatabase

    def commit(self, items: Iterable[NewsItem]) -> set[UUID]:
        self.database.check()
        items = list(items)
        fenced = {
            item.object_id
            for item in items
            if self.database.epochs.get(item.object_id, 0) >> 20 != item.epoch >> 20
        }
        self.database.committed.extend(item for item in items if item.object_id not in fenced)
        return fenced

    def fill(self, items: Sequence[NewsItem]) -> None:
        self.database.check()
        self.database.filled.extend(items)


@dataclass
class FakeChild:
    """The other end of a child's line."""

    key: str
    connection: socket.socket
    is_killed: bool = False
    _text: bytes = b""

    def say(self, **line: Any) -> None:
        self.connection.send(json.dumps(line).encode() + b"\n")

    def say_news(self, sequence: int, **payload: Any) -> None:
        self.say(say="news", sequence=sequence, payload=payload)

    def heard(self) -> list[Line]:
        """Return the lines that came since."""
        self.connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self._text += self.connection.recv(1 << 20)
        *lines, self._text = self._text.split(b"\n")
        return [json.loads(line) for line in lines]

    def orders(self) -> list[str]:
        return [line["do"] for line in self.heard() if line["do"] != "beat"]


class FakeSpawner:
    """Makes children that are only the other end of a line."""

    def __init__(self) -> None:
        self.children: dict[str, FakeChild] = {}
        self.exits: list[Exit] = []
        self.spawned = 0
        self.pids = itertools.count(100)

    def start(self) -> None:
        return

    def spawn(self, key: str, payload: Any) -> Spawned:
        assert key not in self.children
        ours, theirs = socket.socketpair()
        self.children[key] = FakeChild(key, theirs)
        self.spawned += 1
        return Spawned(key, ours, next(self.pids))

    def end(self, key: str, status: int, *, is_own: bool = True) -> None:
        """Let a child exit."""
        self.children.pop(key).connection.close()
        self.exits.append(Exit(key, 1, status, is_own))

    def poll(self) -> list[Exit]:
        exits, self.exits = self.exits, []
        return exits

    def kill(self, key: str) -> None:
        if key in self.children:
            self.children[key].is_killed = True
            self.end(key, -9)

    def filenos(self) -> Sequence[int]:
        return ()

    def stop(self) -> None:
        for key in list(self.children):
            self.end(key, -9)


class FakeDialect:
    """One object per child; a spec with `bad` in it cannot be prepared."""

    def prepare(self, item: Claimable) -> Any:
        if item.fingerprint == "bad":
            raise SourceError("the address is no good")
        return item.spec

    def child_key(self, item: Claimable, payload: Any) -> str:
        return str(item.object_id)

    def add(self, assignment: Assignment) -> Line:
        return {"do": "start", "epoch": assignment.epoch, "spec": assignment.payload}

    def remove(self, object_id: UUID) -> Line | None:
        return None

    def adjust(self, before: Claimable, after: Claimable) -> list[Line]:
        return [{"do": "mode", "spec": after.spec}]

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        for object_id, epoch in assignments.items():
            return NewsItem(object_id, epoch, line["sequence"], line["payload"])
        return None

    def ack(self, item: NewsItem) -> Line:
        return {"do": "ack", "sequence": item.sequence}

    def trouble(self, item: Claimable, trouble: Trouble, *, epoch: int, at_us: int) -> list[NewsItem]:
        return [NewsItem(item.object_id, epoch, -1, {"trouble": trouble.code})]


class FakeHostDialect(FakeDialect):
    """All objects in one child, as model hosts have it."""

    def child_key(self, item: Claimable, payload: Any) -> str:
        return f"host-{item.fingerprint}" if item.fingerprint.startswith("model") else "host"

    def add(self, assignment: Assignment) -> Line:
        return {"do": "add", "id": str(assignment.object_id), "epoch": assignment.epoch}

    def remove(self, object_id: UUID) -> Line | None:
        return {"do": "remove", "id": str(object_id)}

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        object_id = UUID(line["payload"]["id"])
        return NewsItem(object_id, assignments[object_id], line["sequence"], line["payload"])


@dataclass
class FakeSalvager:
    """What ended lives left, as a test lays it out."""

    left: dict[tuple[UUID, int], list[NewsItem]] = field(default_factory=dict)
    living: set[tuple[UUID, int]] = field(default_factory=set)
    settled_lives: list[tuple[UUID, int]] = field(default_factory=list)

    def earlier(self, object_id: UUID, before_epoch: int) -> Iterator[tuple[int, list[NewsItem] | None]]:
        for (one, epoch), items in list(self.left.items()):
            if one == object_id and epoch < before_epoch and items:
                yield epoch, None if (one, epoch) in self.living else items

    def after_exit(self, object_id: UUID, epoch: int) -> list[NewsItem] | None:
        return self.left.get((object_id, epoch), [])

    def unsaid(self, object_id: UUID, epoch: int) -> list[NewsItem]:
        return self.left.get((object_id, epoch), [])

    def settled(self, object_id: UUID, epoch: int) -> None:
        self.settled_lives.append((object_id, epoch))


@dataclass
class Worker:
    """A supervisor that a test turns by hand."""

    database: FakeDatabase
    name: str = "worker-1"
    slots: int = 8
    dialect: FakeDialect = field(default_factory=FakeDialect)
    config: SupervisorConfig | None = None
    work_lane: Lane = field(default_factory=InlineLane)
    works: Callable[[NewsItem], bool] | None = None

    def __post_init__(self) -> None:
        self.database.slots[self.name] = self.slots
        self.database.workers.append(self)
        self.spawner = FakeSpawner()
        self.salvager = FakeSalvager()
        self.store = FakeStore(self.database, self.name)
        sink = FakeSink(self.database)
        self.supervisor = Supervisor(
            Ports(self.store, sink, self.spawner, self.dialect, self.salvager, sink.fill, works=self.works),
            self.config or SupervisorConfig(slots=self.slots),
            clock=self.database.clock,
            database_lane=InlineLane(),
            work_lane=self.work_lane,
        )

    def turn(self, seconds: float = 0.0, *, beating: bool = True) -> None:
        """Let time pass in small steps, the children beating all the while."""
        for _ in range(max(1, round(seconds / 0.25))):
            if beating:
                for child in self.spawner.children.values():
                    child.say(say="beat", state="live")
            self.supervisor.step(0)
            self.supervisor.step(0)
            if seconds:
                self.database.clock.advance(0.25)

    def child(self, object_id: UUID) -> FakeChild:
        return self.spawner.children[str(object_id)]

    def epoch_of(self, object_id: UUID) -> int:
        return self.supervisor.roster.members[object_id].epoch

    def exit(self, object_id: UUID, status: int = 0, *, bye: str | None = None) -> None:
        if bye is not None:
            self.child(object_id).say(say="bye", reason=bye)
        self.spawner.end(str(object_id), status)
