"""The condition that is evaluated on every frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from omma_engine.rules.conditions import Condition, decode_condition, encode_condition
from omma_engine.rules.polygon import Polygon

DEFAULT_GAP_S = 1.5


@dataclass(frozen=True, slots=True)
class FrameRule:
    """An object of `labels` (none: any), at `min_confidence` or more, in `polygon`, for `min_duration_s`.

    The polygon is in parts of the picture, empty for everywhere. An object stands where its box's foot point
    (the middle of its lower edge) is; motion has no feet and counts where the middle of its box is. Misses of
    up to `gap_s` do not interrupt a duration or end a match. A `condition` must hold besides.
    """

    rule_id: UUID
    labels: frozenset[str] = frozenset()
    min_confidence: float = 0.0
    polygon: Polygon = ()
    min_duration_s: float = 0.0
    gap_s: float = DEFAULT_GAP_S
    condition: Condition | None = None


def encode_rule(rule: FrameRule) -> dict[str, Any]:
    """Return the rule as JSON values."""
    return {
        "rule_id": str(rule.rule_id),
        "labels": sorted(rule.labels),
        "min_confidence": rule.min_confidence,
        "polygon": [list(point) for point in rule.polygon],
        "min_duration_s": rule.min_duration_s,
        "gap_s": rule.gap_s,
        "condition": encode_condition(rule.condition),
    }


def decode_rule(raw: Mapping[str, Any]) -> FrameRule:
    """Return the rule that `encode_rule` wrote."""
    return FrameRule(
        rule_id=UUID(raw["rule_id"]),
        labels=frozenset(raw["labels"]),
        min_confidence=raw["min_confidence"],
        polygon=tuple((x, y) for x, y in raw["polygon"]),
        min_duration_s=raw["min_duration_s"],
        gap_s=raw["gap_s"],
        condition=decode_condition(raw["condition"]),
    )
