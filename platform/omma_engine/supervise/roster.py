"""What this worker holds, and what to do next about each of it. Pure decisions on the loop thread."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from omma_engine.clock import Clock
from omma_engine.errors import EngineError
from omma_engine.ports import Claimable, Lease, NewsItem
from omma_engine.supervise.config import SupervisorConfig
from omma_engine.supervise.crew import Crew, Ended
from omma_engine.supervise.dialect import Assignment, Trouble
from omma_engine.supervise.lanes import Lane
from omma_engine.supervise.members import Member, Phase
from omma_engine.supervise.relief import Reliefs
from omma_engine.supervise.restarts import RestartPolicy

logger = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_MOVE_US = 20_000_000  # for a child to start, before its object moves all the same
_BYE_ENDED = "ended"
_DISK_WAIT = Trouble("slow_disk", "the disk takes nothing, what comes waits in memory", is_running=True)


@dataclass(slots=True)
class Roster:
    """The members by object."""

    config: SupervisorConfig
    crew: Crew
    clock: Clock
    work_lane: Lane
    reliefs: Reliefs
    members: dict[UUID, Member] = field(default_factory=dict)
    to_release: list[Lease] = field(default_factory=list)
    troubles: list[NewsItem] = field(default_factory=list)
    confirmed_us: int = 0  # when the last round that renewed our leases began

    def __post_init__(self) -> None:
        self.confirmed_us = self.clock.monotonic_us()

    @property
    def is_alone(self) -> bool:
        """Whether our leases were not confirmed for so long that somebody else may have them soon."""
        return self.clock.monotonic_us() - self.confirmed_us > self.config.alone_s * _SECOND_US

    def leases(self) -> tuple[Lease, ...]:
        return tuple(member.lease for member in self.members.values() if not member.is_lost)

    def admit(self, lease: Lease, item: Claimable) -> None:
        """Begin with a fresh lease."""
        now_us = self.clock.monotonic_us()
        policy = RestartPolicy(self.config)
        self.members[lease.object_id] = Member(item, lease, policy, epoch=lease.epoch, due_us=now_us)

    def lose(self, object_ids: Iterable[UUID], reason: str) -> None:
        """Stop what another worker holds now."""
        for object_id in object_ids:
            member = self.members.get(object_id)
            if member is not None:
                logger.warning("%s %s is lost: %s", member.lease.kind, object_id, reason)
                member.is_lost = True
                self._dismiss(member, reason)

    def reconcile(self, desired: Iterable[Claimable]) -> None:
        """Stop what is not wanted, and restart what is wanted differently."""
        wanted = {item.object_id: item for item in desired}
        for member in list(self.members.values()):
            item = wanted.get(member.object_id)
            if item is None:
                self._dismiss(member, "planned")
            elif not member.is_leaving:
                self._update(member, item)

    def advance(self) -> None:
        """Move every member on: prepare what is due, start what is prepared."""
        now_us = self.clock.monotonic_us()
        for member in list(self.members.values()):
            if self._may_start(member) and now_us >= member.due_us:
                self._prepare(member)
            if member.phase is Phase.PREPARING and member.preparing is not None and member.preparing.done():
                self._begin(member, now_us)
            if member.phase is Phase.RUNNING:
                self._look_at_disk(member)
                self._move(member, now_us)
            if member.is_leaving and member.is_out:
                self._strike_off(member)
        idle = self.reliefs.advance(self.members.values())
        if idle is not None:
            self._end(idle, "renewed")

    def bury(self, ended: Ended) -> None:
        """Note the end of a life and when the next one is due."""
        member = self.members.get(ended.object_id)
        if self.reliefs.bury(ended) or member is None or member.epoch != ended.epoch:
            return
        now_us = self.clock.monotonic_us()
        was_told = member.phase is Phase.STOPPING
        member.moves_by_us = None
        member.phase = Phase.WAITING
        if was_told:
            member.due_us = now_us
        elif ended.bye == _BYE_ENDED and member.running_fingerprint == member.item.fingerprint:
            member.phase = Phase.RESTING
        else:
            self._back_off(member, ended, now_us)

    def dismiss_all(self, reason: str, *, only_exclusive: bool = False) -> None:
        for member in self.members.values():
            if member.item.is_exclusive or not only_exclusive:
                self._dismiss(member, reason)

    def _may_start(self, member: Member) -> bool:
        if member.phase is not Phase.WAITING or member.is_leaving:
            return False
        return not (self.is_alone and member.item.is_exclusive)

    def _dismiss(self, member: Member, reason: str) -> None:
        member.is_leaving = True
        self._end(member, reason)

    def _update(self, member: Member, item: Claimable) -> None:
        before, member.item = member.item, item
        if item.fingerprint == before.fingerprint:
            if item.spec != before.spec and member.phase is Phase.RUNNING:
                self.crew.send(member.object_id, self.crew.dialect.adjust(before, item))
            return
        member.restarts = RestartPolicy(self.config)
        if member.phase is Phase.RUNNING and item.fingerprint == member.running_fingerprint:
            member.moves_by_us = None  # changed and changed back, before it moved
        elif member.phase is Phase.RUNNING and self.crew.warm(item):
            member.moves_by_us = self.clock.monotonic_us() + _MOVE_US
        elif member.phase in {Phase.RUNNING, Phase.PREPARING}:
            self._end(member, "changed")
        elif member.is_out:
            member.phase, member.due_us = Phase.WAITING, self.clock.monotonic_us()

    def _move(self, member: Member, now_us: int) -> None:
        """Let go of the old child once the new one is there: what runs is missed for a moment only."""
        if member.moves_by_us is None:
            return
        if now_us >= member.moves_by_us or self.crew.is_warm(member.item):
            self._end(member, "changed")

    def _end(self, member: Member, reason: str) -> None:
        member.moves_by_us = None
        if member.phase is Phase.PREPARING:
            member.phase, member.preparing = Phase.WAITING, None
        elif member.phase is Phase.RUNNING:
            member.phase = Phase.STOPPING
            if self.crew.end(member.object_id, reason):
                member.phase, member.due_us = Phase.WAITING, self.clock.monotonic_us()

    def _prepare(self, member: Member) -> None:
        item = member.item
        member.phase = Phase.PREPARING
        member.preparing = self.work_lane.submit(lambda: self.crew.dialect.prepare(item))

    def _begin(self, member: Member, now_us: int) -> None:
        future, member.preparing = member.preparing, None
        member.phase = Phase.WAITING
        if future is None or member.is_leaving:
            return
        try:
            payload = future.result()
        except EngineError as error:
            self._tell_trouble(member, Trouble(error.code, str(error)))
            member.due_us = member.restarts.after_exit(now_us=now_us, lived_us=0, is_crash=False)
            return
        assignment = Assignment(member.object_id, member.next_epoch(), payload)
        if self.crew.begin(member.item, assignment, cell=member.restarts.cell):
            member.epoch = assignment.epoch
            member.phase, member.trouble = Phase.RUNNING, None
            member.running_fingerprint = member.item.fingerprint
        else:
            member.due_us = now_us + _SECOND_US // 4

    def _back_off(self, member: Member, ended: Ended, now_us: int) -> None:
        member.due_us = member.restarts.after_exit(
            now_us=now_us, lived_us=ended.lived_us, is_crash=ended.is_crash, was_alone=ended.was_alone
        )
        if ended.is_crash and not ended.was_alone:
            place = ended.together.index(ended.object_id)
            member.restarts.set_apart(place=place, count=len(ended.together))
        if ended.is_crash:
            logger.warning("the child of %s ended with status %d", ended.object_id, ended.status)
        if member.restarts.is_parked:
            detail = f"crashed {self.config.crashes_to_park} times, next try in {self.config.park_s:.0f} s"
            self._tell_trouble(member, Trouble("parked", detail))

    def _tell_trouble(self, member: Member, trouble: Trouble) -> None:
        if member.trouble == trouble:
            return
        member.trouble = trouble
        logger.warning(
            "%s %s has trouble: %s %s", member.lease.kind, member.object_id, trouble.code, trouble.detail
        )
        self.troubles += self.crew.dialect.trouble(
            member.item, trouble, epoch=member.epoch, at_us=self.clock.now_us()
        )

    def _look_at_disk(self, member: Member) -> None:
        """Tell of a child that waits for its disk; it says itself when that is over."""
        beat = self.crew.beat_of(member.object_id)
        if beat.get("disk_wait_s", 0.0) >= self.config.disk_wait_s:
            self._tell_trouble(member, _DISK_WAIT)
        elif member.trouble == _DISK_WAIT:
            member.trouble = None

    def _strike_off(self, member: Member) -> None:
        del self.members[member.object_id]
        if not member.is_lost:
            self.to_release.append(member.lease)
