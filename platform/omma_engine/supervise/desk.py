"""Between children and database: takes salvage in, hands acknowledgements out. Loop thread only."""

from dataclasses import dataclass, field
from uuid import UUID

from omma_engine.ports import NewsItem
from omma_engine.supervise.crew import Crew
from omma_engine.supervise.members import Phase
from omma_engine.supervise.newsroom import Life, Newsroom, block_of
from omma_engine.supervise.roster import Roster
from omma_engine.supervise.rounds import RoundResult
from omma_engine.supervise.salvaging import Salvages

_AGAIN_US = 10_000_000  # between two looks at a life that goes on, as under a worker that was cut off


@dataclass(slots=True)
class NewsDesk:
    """What comes in from children, alive or dead, and what goes back once it is in the database."""

    newsroom: Newsroom
    salvages: Salvages
    crew: Crew
    roster: Roster
    _again: dict[UUID, int] = field(default_factory=dict)  # object → when to look at its ended lives again

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be committed or to be read back."""
        return not len(self.newsroom) and not len(self.salvages)

    def take_in(self) -> None:
        """Take what was read back of ended lives, and what is to be said in children's stead."""
        for salvaged in self.salvages.take():
            if salvaged.is_over:
                is_old = self._is_old(salvaged.life)
                settled = self.newsroom.add_salvaged(salvaged.life, salvaged.items, is_old=is_old)
                self.salvages.settle(settled)
            elif salvaged.is_held:
                self._again[salvaged.life[0]] = self.roster.clock.monotonic_us() + _AGAIN_US
            else:
                self._add(salvaged.items)
        self._look_again()
        self._add(self.roster.troubles)
        self.roster.troubles.clear()

    def note(self, result: RoundResult) -> None:
        """Acknowledge what a round committed, and read again what had not fitted into memory."""
        if result.committed:
            self._acknowledge(*self.newsroom.committed(list(result.request.fresh), result.fenced))
        if result.filled:
            self._acknowledge(*self.newsroom.filled(list(result.request.old)))
        if not len(self.newsroom):
            for life in self.newsroom.behind:
                self.salvages.unsaid(life)
            self.newsroom.behind.clear()

    def _look_again(self) -> None:
        """Look whether lives have ended since that held their files when we looked."""
        now_us = self.roster.clock.monotonic_us()
        for object_id in [one for one, due_us in self._again.items() if now_us >= due_us]:
            del self._again[object_id]
            member = self.roster.members.get(object_id)
            if member is not None and not member.is_leaving:
                has_child = member.phase in {Phase.RUNNING, Phase.STOPPING}
                self.salvages.earlier(object_id, member.epoch if has_child else member.epoch + 1)

    def _add(self, items: list[NewsItem]) -> None:
        for item in items:
            self.newsroom.add(item)

    def _is_old(self, life: Life) -> bool:
        if life in self.newsroom.relieved:
            return True
        member = self.roster.members.get(life[0])
        return member is not None and block_of(member.lease.epoch) > block_of(life[1])

    def _acknowledge(self, acks: list[NewsItem], settled: list[Life]) -> None:
        for item in acks:
            self.crew.tell(item)
        self.salvages.settle(settled)
