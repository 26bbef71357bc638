"""Old children make room for new ones, one at a time, and nothing is missed.

What leaks a little leaks for ever in a process that never ends. So a child that has lived for `renew_s` gets
a successor beside it, under the next epoch; when that one does its work, the old one is stopped, and what it
says from then on only fills holes. What the successor says before is held back: if it gets nowhere (the
camera lets in one client), it is ended, and nobody has noticed. A child that does no work just then, or may
not have another one beside it, is restarted when it is idle.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from omma_engine.clock import Clock
from omma_engine.errors import EngineError
from omma_engine.ports import Claimable, NewsItem
from omma_engine.supervise.config import SupervisorConfig
from omma_engine.supervise.crew import Crew, Ended
from omma_engine.supervise.dialect import Assignment
from omma_engine.supervise.lanes import Lane
from omma_engine.supervise.members import Member, Phase
from omma_engine.supervise.newsroom import Newsroom

logger = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_LOOK_US = 5 * _SECOND_US
_SPREAD = 8  # a worker's children, all started at once, are renewed over an eighth of their time
_WORKING = "live"


@dataclass(slots=True)
class _Relief:
    """One old child and the successor beside it; `epoch` is the successor's, 0 before it was started."""

    member: Member
    preparing: "Future[Any]"
    began_us: int
    epoch: int = 0
    held: list[NewsItem] = field(default_factory=list)


class Reliefs:
    """Renews children. Loop thread only. Takes all that children say before the newsroom does."""

    def __init__(
        self,
        config: SupervisorConfig,
        crew: Crew,
        newsroom: Newsroom,
        clock: Clock,
        work_lane: Lane,
        works: Callable[[NewsItem], bool] | None,
    ) -> None:
        """`works` tells by a piece of news that its child does its work; without it nobody is renewed."""
        self._config = config
        self._crew = crew
        self._newsroom = newsroom
        self._clock = clock
        self._work_lane = work_lane
        self._works = works
        self._relief: _Relief | None = None
        self._look_at_us = 0
        crew.on_news = self._take

    def advance(self, members: Iterable[Member]) -> Member | None:
        """Go on with a renewal, or look whether one is due; return a member that may be restarted now."""
        now_us = self._clock.monotonic_us()
        if self._relief is not None:
            self._go_on(self._relief, now_us)
        elif self._works is not None and self._config.renew_s and now_us >= self._look_at_us:
            self._look_at_us = now_us + _LOOK_US
            return self._look(members, now_us)
        return None

    def bury(self, ended: Ended) -> bool:
        """Note the end of a child; return whether that is no end of its object's life."""
        relief = self._relief
        if relief is None or not relief.epoch or ended.object_id != relief.member.object_id:
            return False
        if ended.epoch == relief.epoch:
            self._give_up(relief, "it ended")
            return True
        if ended.epoch == relief.member.epoch and not relief.member.is_leaving:
            self._hand_over(relief)  # the old one died first
            return True
        return False

    def _look(self, members: Iterable[Member], now_us: int) -> Member | None:
        for member in members:
            if member.phase is not Phase.RUNNING or member.is_leaving or not self._is_old(member, now_us):
                continue
            if self._crew.beat_of(member.object_id).get("state") != _WORKING:
                return member
            if not member.item.is_exclusive:
                self._relief = _Relief(member, self._prepared(member.item), now_us)
                return None
        return None

    def _prepared(self, item: Claimable) -> "Future[Any]":
        return self._work_lane.submit(lambda: self._crew.dialect.prepare(item))

    def _is_old(self, member: Member, now_us: int) -> bool:
        renew_us = int(self._config.renew_s * _SECOND_US)
        later_us = member.object_id.int % (renew_us // _SPREAD + 1)
        return now_us - self._crew.started_us(member.object_id, default=now_us) >= renew_us + later_us

    def _go_on(self, relief: _Relief, now_us: int) -> None:
        member = relief.member
        if member.is_leaving or member.phase is not Phase.RUNNING:
            self._give_up(relief, "the old one leaves")
        elif now_us - relief.began_us > self._config.renewal_s * _SECOND_US:
            self._give_up(relief, "it got nowhere")
        elif not relief.epoch and relief.preparing.done():
            self._start(relief)

    def _start(self, relief: _Relief) -> None:
        member = relief.member
        try:
            payload = relief.preparing.result()
        except EngineError as error:
            self._give_up(relief, str(error))
            return
        relief.epoch = member.next_epoch()
        if not self._crew.begin(
            member.item, Assignment(member.object_id, relief.epoch, payload), beside=True
        ):
            self._give_up(relief, "it could not be started")

    def _give_up(self, relief: _Relief, why: str) -> None:
        logger.info("%s is not renewed now: %s", relief.member.object_id, why)
        self._relief = None
        self._look_at_us = self._clock.monotonic_us() + int(self._config.renewal_again_s * _SECOND_US)
        if relief.epoch:
            self._newsroom.relieved.add((relief.member.object_id, relief.epoch))
            self._crew.drop_beside(relief.member.object_id)

    def _take(self, item: NewsItem) -> None:
        relief = self._relief
        is_successors = relief is not None and (item.object_id, item.epoch) == (
            relief.member.object_id,
            relief.epoch,
        )
        if relief is None or not is_successors:
            self._newsroom.add(item)
            return
        relief.held.append(item)
        if self._works is not None and self._works(item):
            self._hand_over(relief)

    def _hand_over(self, relief: _Relief) -> None:
        member, self._relief = relief.member, None
        logger.info("%s goes on in a new process", member.object_id)
        self._newsroom.relieved.add((member.object_id, member.epoch))
        member.epoch, member.running_fingerprint = relief.epoch, member.item.fingerprint
        self._crew.put_beside_in_place(member.object_id, "renewed")
        for item in relief.held:
            self._newsroom.add(item)
