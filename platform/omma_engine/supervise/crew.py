"""All children of one supervisor: starting, hearing, stopping and burying them. Loop thread only."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omma_engine.clock import Clock
from omma_engine.ports import Claimable, NewsItem
from omma_engine.supervise.child import Child
from omma_engine.supervise.config import SupervisorConfig
from omma_engine.supervise.dialect import Assignment, Dialect, Line
from omma_engine.supervise.spawning import Exit, Spawner

logger = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_IDLE_US = 60_000_000  # a child that was started for somebody who never moved in


@dataclass(frozen=True, slots=True)
class Ended:
    """An object's life in a child is over. `bye` is what the child said last, None if it died unheard.

    `together` are all objects that the child had, this one among them, in a fixed order.
    """

    object_id: UUID
    epoch: int
    lived_us: int
    status: int
    bye: str | None
    is_own: bool = True
    together: tuple[UUID, ...] = ()

    @property
    def was_alone(self) -> bool:
        """Whether the child had nothing else, so that its crash is this object's doing."""
        return len(self.together) <= 1

    @property
    def is_crash(self) -> bool:
        """Whether it is the child's own fault: the zygote's death parks no source."""
        return self.status != 0 and self.is_own


@dataclass(slots=True)
class Crew:
    """The children by key, and which child has which object."""

    config: SupervisorConfig
    spawner: Spawner
    dialect: Dialect
    clock: Clock
    on_news: Callable[[NewsItem], None]
    children: dict[str, Child] = field(default_factory=dict)
    place: dict[UUID, str] = field(default_factory=dict)
    _beside: dict[UUID, str] = field(default_factory=dict)  # objects that a second child is to take over

    def begin(self, item: Claimable, assignment: Assignment, *, cell: str = "", beside: bool = False) -> bool:
        """Put an object into its child, starting one where there is none; False: not now.

        Objects of different cells have different children, also where the dialect would put them together.
        `beside` starts a second child, while the object stays in its place.
        """
        cell = str(assignment.epoch) if beside else cell
        key = self.dialect.child_key(item, assignment.payload) + (f"~{cell}" if cell else "")
        child = self.children.get(key)
        if child is not None and child.kill_at_us is not None:
            return False  # it is leaving: its successor starts after its exit
        if child is None:
            child = self._spawn(key, assignment.payload)
            if child is None:
                return False
        child.assignments[assignment.object_id] = assignment.epoch
        (self._beside if beside else self.place)[assignment.object_id] = key
        child.send(self.dialect.add(assignment))
        return True

    def warm(self, item: Claimable) -> bool:
        """Start the shared child that a running object is to move into; False where there is no such one."""
        key = self.dialect.child_key(item, item.spec)
        if self.dialect.remove(item.object_id) is None or self.place.get(item.object_id) == key:
            return False
        child = self.children.get(key) or self._spawn(key, item.spec)
        return child is not None and child.kill_at_us is None

    def is_warm(self, item: Claimable) -> bool:
        """Tell whether that child has said its first word, or there is none to wait for any more."""
        child = self.children.get(self.dialect.child_key(item, item.spec))
        return child is None or child.heard_us > child.started_us

    def end(self, object_id: UUID, reason: str) -> bool:
        """Take an object out of its child; True if it is out already, else its `Ended` follows."""
        key = self.place.get(object_id)
        child = self.children.get(key) if key else None
        if child is None:
            return True
        line = self.dialect.remove(object_id)
        if line is None:
            self._stop_child(child, reason)
            return False
        child.send(line)
        child.assignments.pop(object_id, None)
        self.place.pop(object_id, None)
        if not child.assignments:
            self._stop_child(child, reason)
        return True

    def put_beside_in_place(self, object_id: UUID, reason: str) -> None:
        """Let the second child have the object alone; the first one is stopped, if it still lives."""
        first = self.children.get(self.place.get(object_id, ""))
        self.place[object_id] = self._beside.pop(object_id)
        if first is not None:
            self._stop_child(first, reason)

    def drop_beside(self, object_id: UUID) -> None:
        """End the second child at once."""
        key = self._beside.pop(object_id, None)
        if key in self.children:
            self.spawner.kill(key)

    def started_us(self, object_id: UUID, *, default: int) -> int:
        """Return when the child that has this object was started."""
        child = self.children.get(self.place.get(object_id, ""))
        return child.started_us if child is not None else default

    def end_all(self, reason: str) -> None:
        for child in self.children.values():
            self._stop_child(child, reason)

    def beat(self, *, is_alone: bool = False) -> None:
        """Tell all children that the supervisor lives, and whether others may have its leases by now."""
        line: Line = {"do": "beat", "alone": True} if is_alone else {"do": "beat"}
        for child in self.children.values():
            child.send(line)

    def send(self, object_id: UUID, lines: list[Line]) -> None:
        """Send lines to the child that has this object."""
        for places in (self.place, self._beside):
            child = self.children.get(places.get(object_id, ""))
            if child is not None:
                for line in lines:
                    child.send(line)

    def beat_of(self, object_id: UUID) -> Line:
        """Return the last beat of the child that has this object."""
        child = self.children.get(self.place.get(object_id, ""))
        return child.beat if child is not None else {}

    def tell(self, item: NewsItem) -> None:
        """Acknowledge news up to this item, if the child that said them still lives."""
        child = self.children.get(self.place.get(item.object_id, ""))
        if child is not None and child.assignments.get(item.object_id) == item.epoch:
            child.send(self.dialect.ack(item))

    def listen(self) -> list[Ended]:
        """Read all lines, kill who is silent or will not leave, and return who has ended."""
        now_us = self.clock.monotonic_us()
        for child in self.children.values():
            self._hear(child, now_us)
            child.flush()
            if not child.assignments and now_us - child.started_us > _IDLE_US:
                self._stop_child(child, "nobody came")
            self._kill_if_stuck(child, now_us)
        ended: list[Ended] = []
        for exit_ in self.spawner.poll():
            ended.extend(self._bury(exit_, now_us))
        return ended

    def close(self) -> None:
        """Hang up on all children."""
        for child in self.children.values():
            child.close()
        self.children.clear()
        self.place.clear()
        self._beside.clear()

    def _spawn(self, key: str, payload: Any) -> Child | None:
        try:
            spawned = self.spawner.spawn(key, payload)
        except OSError as error:
            logger.error("child %s could not be started: %s", key, error)
            return None
        spawned.connection.setblocking(False)
        now_us = self.clock.monotonic_us()
        child = Child(key, spawned.connection, started_us=now_us, heard_us=now_us)
        self.children[key] = child
        return child

    def _stop_child(self, child: Child, reason: str) -> None:
        if child.kill_at_us is None:
            child.send({"do": "stop", "reason": reason})
            child.kill_at_us = self.clock.monotonic_us() + int(self.config.stop_grace_s * _SECOND_US)

    def _hear(self, child: Child, now_us: int) -> None:
        for line in child.receive(now_us):
            self._take(child, line)

    def _take(self, child: Child, line: Line) -> None:
        match line.get("say"):
            case "beat":
                child.beat = line
            case "bye":
                child.bye = str(line.get("reason", ""))
            case "news":
                item = self.dialect.news(line, child.assignments)
                if item is None:
                    logger.warning("child %s sent news that cannot be read", child.key)
                else:
                    self.on_news(item)

    def _kill_if_stuck(self, child: Child, now_us: int) -> None:
        has_spoken = child.heard_us > child.started_us
        limit_s = self.config.silence_s if has_spoken else self.config.start_silence_s
        is_silent = now_us - child.heard_us > limit_s * _SECOND_US
        is_late = child.kill_at_us is not None and now_us > child.kill_at_us
        if not (is_silent or is_late or child.is_broken):
            return
        logger.warning("child %s is killed: %s", child.key, "will not leave" if is_late else "stuck")
        child.heard_us = now_us
        if is_late:
            child.kill_at_us = now_us + _SECOND_US
        self.spawner.kill(child.key)

    def _bury(self, exit_: Exit, now_us: int) -> list[Ended]:
        child = self.children.pop(exit_.key, None)
        if child is None:
            return []
        self._hear(child, now_us)  # its last words may still be on the line
        child.close()
        together = tuple(sorted(child.assignments))
        lived_us = now_us - child.started_us
        for object_id in together:
            for places in (self.place, self._beside):
                if places.get(object_id) == exit_.key:
                    del places[object_id]
        return [
            Ended(object_id, epoch, lived_us, exit_.status, child.bye, exit_.is_own, together)
            for object_id, epoch in child.assignments.items()
        ]
