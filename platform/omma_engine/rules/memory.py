"""What is remembered of tracks for conditions that one frame cannot answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from omma_engine.rules.conditions import (
    Condition,
    CountInZone,
    Direction,
    DwellTime,
    LineCrossing,
    SpeedRange,
    StandsStill,
)
from omma_engine.rules.frame_rule import FrameRule
from omma_engine.rules.polygon import Point, segments_meet, side_of
from omma_engine.rules.seen import NO_TRACK, SeenObject

_FORGET_US = 60_000_000
_LINE_MARGIN = 0.01  # of the picture, or a tenth of the box: who trembles on a line does not cross it
_MARGIN_OF_BOX = 0.1


@dataclass(slots=True)
class _Seen:
    """One track under one rule."""

    last_us: int
    spent_us: int = 0
    side: int = 0  # of the line, once it was clearly on one
    clear_at: Point = (0.0, 0.0)  # where it was clearly on that side


class ConditionMemory:
    """Tells which of the objects that a rule is about meet its condition. Time comes in with the frames."""

    def __init__(self) -> None:
        self._seen: dict[tuple[UUID, int], _Seen] = {}

    def forget(self, rule_ids: Iterable[UUID]) -> None:
        """Forget rules that are gone or changed."""
        gone = set(rule_ids)
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] not in gone}

    def persist(self, last_us: int, until_us: int) -> None:
        """Take those that were seen last to have stayed where they were until then."""
        for seen in self._seen.values():
            if seen.last_us == last_us < until_us:
                seen.spent_us += until_us - last_us
                seen.last_us = until_us

    def expire(self, at_us: int) -> None:
        """Forget tracks that were not seen for long."""
        old = [key for key, seen in self._seen.items() if at_us - seen.last_us > _FORGET_US]
        for key in old:
            del self._seen[key]

    def meeting(
        self, rule: FrameRule, there: dict[int, SeenObject], all_seen: Sequence[SeenObject], at_us: int
    ) -> dict[int, SeenObject]:
        """Return those of `there` that meet the condition; `all_seen` has the objects elsewhere too."""
        match rule.condition:
            case None:
                return there
            case CountInZone() as condition:
                return self._counted(rule, condition, there)
            case LineCrossing() as condition:
                crossed = self._crossing(rule, condition, all_seen, at_us)
                return {track: item for track, item in there.items() if track in crossed}
            case condition:
                return {
                    track: item for track, item in there.items() if self._holds(rule, condition, item, at_us)
                }

    def _holds(self, rule: FrameRule, condition: Condition, item: SeenObject, at_us: int) -> bool:
        match condition:
            case SpeedRange():
                return condition.is_met(item.speed_kmh)
            case StandsStill():
                return item.still_s >= condition.seconds
            case DwellTime():
                return self._spent_us(rule, item, at_us) >= condition.seconds * 1e6
            case _:
                return False

    def _counted(
        self, rule: FrameRule, condition: CountInZone, there: dict[int, SeenObject]
    ) -> dict[int, SeenObject]:
        if not condition.is_met(len(there)):
            return {}
        best = max(there.values(), key=lambda item: item.confidence, default=None)
        label = best.label if best else min(rule.labels, default="")
        confidence = best.confidence if best else 1.0  # sure that nobody is there
        box = best.box_norm if best else (0.0, 0.0, 0.0, 0.0)
        return {NO_TRACK: SeenObject(NO_TRACK, label, confidence, box, (0.0, 0.0))}

    def _spent_us(self, rule: FrameRule, item: SeenObject, at_us: int) -> int:
        """Return how long a track has been there in all, this frame included."""
        seen = self._of(rule, item, at_us)
        elapsed_us = at_us - seen.last_us
        if elapsed_us <= rule.gap_s * 1e6:
            seen.spent_us += elapsed_us
        seen.last_us = at_us
        return seen.spent_us

    def _crossing(
        self, rule: FrameRule, line: LineCrossing, objects: Sequence[SeenObject], at_us: int
    ) -> set[int]:
        return {item.track for item in objects if self._crosses(rule, line, item, at_us)}

    def _crosses(self, rule: FrameRule, line: LineCrossing, item: SeenObject, at_us: int) -> bool:
        seen = self._of(rule, item, at_us)
        seen.last_us = at_us
        distance = side_of(line.start, line.end, item.stands_at)
        if abs(distance) < max(_LINE_MARGIN, _MARGIN_OF_BOX * _breadth(item)):
            return False
        side = 1 if distance > 0 else -1
        before, seen.side = seen.side, side
        was_at, seen.clear_at = seen.clear_at, item.stands_at
        if before in (0, side) or not segments_meet(was_at, item.stands_at, line.start, line.end):
            return False
        went = Direction.TO_RIGHT if side > 0 else Direction.TO_LEFT
        return line.direction in (Direction.ANY, went)

    def _of(self, rule: FrameRule, item: SeenObject, at_us: int) -> _Seen:
        return self._seen.setdefault((rule.rule_id, item.track), _Seen(at_us))


def _breadth(item: SeenObject) -> float:
    x1, y1, x2, y2 = item.box_norm
    return min(x2 - x1, y2 - y1)
