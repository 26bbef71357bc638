"""From tracked objects, frame by frame, to matches with a start, updates and an end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from omma_engine.rules.frame_rule import FrameRule
from omma_engine.rules.memory import ConditionMemory
from omma_engine.rules.polygon import contains
from omma_engine.rules.seen import SeenObject

UPDATE_EVERY_US = 2_000_000


class MatchPhase(StrEnum):
    """Where a match stands; `start` and `end` come once, in this order."""

    START = "start"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True, slots=True)
class Match:
    """A rule holds for a track from `at_us` to `until_us`; `confidence` `box_norm` the best frame's.

    `track` is `NO_TRACK` where the rule is about how many there are.
    """

    phase: MatchPhase
    rule_id: UUID
    track: int
    label: str
    at_us: int
    until_us: int
    confidence: float
    box_norm: tuple[float, float, float, float]


@dataclass(slots=True)
class _Run:
    """A stretch in which a rule's conditions hold for a track."""

    since_us: int
    last_us: int
    best: SeenObject
    said_us: int | None = None  # when the last match was told; none before the duration is reached


class RuleEvaluator:
    """Holds what each rule has seen of each track. Pure: time comes in with the frames."""

    def __init__(self, rules: Sequence[FrameRule]) -> None:
        self._rules = tuple(rules)
        self._runs: dict[tuple[UUID, int], _Run] = {}
        self._memory = ConditionMemory()
        self._last_us = 0

    @property
    def rules(self) -> tuple[FrameRule, ...]:
        return self._rules

    @property
    def is_matching(self) -> bool:
        """Whether some match has started and not ended."""
        return any(run.said_us is not None for run in self._runs.values())

    def observe(self, at_us: int, objects: Sequence[SeenObject]) -> list[Match]:
        """Take one frame's objects (in the order of time) and return what began, goes on or ended.

        Call it for frames without objects too: that is how matches end.
        """
        return list(self._observe(at_us, objects))

    def persist(self, until_us: int) -> None:
        """Take what the last frame showed to have stayed until then: nothing in the picture has changed."""
        for run in self._runs.values():
            if run.last_us == self._last_us:
                run.last_us = max(run.last_us, until_us)
        self._memory.persist(self._last_us, until_us)
        self._last_us = max(self._last_us, until_us)

    def replace_rules(self, rules: Sequence[FrameRule]) -> list[Match]:
        """Take new rules; matches of rules that are gone or changed end."""
        kept = set(rules) & set(self._rules)
        changed = {rule.rule_id for rule in self._rules if rule not in kept}
        self._rules = tuple(rules)
        self._memory.forget(changed)
        return [*self._end_where(lambda rule_id, _: rule_id in changed)]

    def finish(self) -> list[Match]:
        """End every match: there will be no more frames."""
        return [*self._end_where(lambda _rule_id, _track: True)]

    def _observe(self, at_us: int, objects: Sequence[SeenObject]) -> Iterator[Match]:
        for rule in self._rules:
            wanted = [item for item in objects if not rule.labels or item.label in rule.labels]
            found = self._memory.meeting(rule, _qualifying(rule, wanted), wanted, at_us)
            for track, best in found.items():
                yield from self._extend(rule, track, best, at_us)
            yield from self._expire(rule, at_us)
        self._memory.expire(at_us)
        self._last_us = at_us

    def _extend(self, rule: FrameRule, track: int, best: SeenObject, at_us: int) -> Iterator[Match]:
        key = (rule.rule_id, track)
        run = self._runs.get(key)
        if run is None or at_us - run.last_us > rule.gap_s * 1e6:
            if run is not None:
                yield from self._end(key)
            run = self._runs[key] = _Run(since_us=at_us, last_us=at_us, best=best)
        run.last_us = at_us
        if best.confidence > run.best.confidence:
            run.best = best
        if run.said_us is None:
            if at_us - run.since_us >= rule.min_duration_s * 1e6:
                yield self._say(MatchPhase.START, key, run)
        elif at_us - run.said_us >= UPDATE_EVERY_US:
            yield self._say(MatchPhase.UPDATE, key, run)

    def _expire(self, rule: FrameRule, at_us: int) -> Iterator[Match]:
        over = [
            key
            for key, run in self._runs.items()
            if key[0] == rule.rule_id and at_us - run.last_us > rule.gap_s * 1e6
        ]
        for key in over:
            yield from self._end(key)

    def _end(self, key: tuple[UUID, int]) -> Iterator[Match]:
        run = self._runs.pop(key)
        if run.said_us is not None:
            yield self._say(MatchPhase.END, key, run)

    def _end_where(self, condition: Callable[[UUID, int], bool]) -> Iterator[Match]:
        for key in [key for key in self._runs if condition(*key)]:
            yield from self._end(key)

    def _say(self, phase: MatchPhase, key: tuple[UUID, int], run: _Run) -> Match:
        run.said_us = run.last_us
        return Match(
            phase=phase,
            rule_id=key[0],
            track=key[1],
            label=run.best.label,
            at_us=run.since_us,
            until_us=run.last_us,
            confidence=run.best.confidence,
            box_norm=run.best.box_norm,
        )


def _qualifying(rule: FrameRule, objects: Sequence[SeenObject]) -> dict[int, SeenObject]:
    """Return the best box of each track that meets the rule's conditions in this frame."""
    found: dict[int, SeenObject] = {}
    for item in objects:
        if not _qualifies(rule, item):
            continue
        if item.track not in found or item.confidence > found[item.track].confidence:
            found[item.track] = item
    return found


def _qualifies(rule: FrameRule, item: SeenObject) -> bool:
    if item.confidence < rule.min_confidence:
        return False
    return not rule.polygon or contains(rule.polygon, item.stands_at)
