"""What a host is told about an analytic, and its way through JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omma_engine.detect.spec import ModelSpec
from omma_engine.errors import ProtocolError
from omma_engine.inference.counting import CountingSpec, decode_counting, encode_counting
from omma_engine.rules import (
    FrameRule,
    GroundPlane,
    Polygon,
    Region,
    decode_plane,
    decode_region,
    decode_rule,
    encode_plane,
    encode_region,
    encode_rule,
)


@dataclass(frozen=True, slots=True)
class AnalyticSpec:
    """A model on a stream. Empty `regions` are everywhere; motion in all of `mask` wakes nobody.

    `first_number` is the number of the first track that it will open. `plane` makes speeds known, `counting`
    makes it count.
    """

    analytic_id: UUID
    stream_id: UUID
    model: ModelSpec
    rate_fps: float
    min_confidence: float
    labels: frozenset[str] = frozenset()
    regions: tuple[Region, ...] = ()
    mask: tuple[Polygon, ...] = ()
    plane: GroundPlane | None = None
    counting: CountingSpec | None = None
    rules: tuple[FrameRule, ...] = ()
    first_number: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)


def encode_analytic(spec: AnalyticSpec) -> dict[str, Any]:
    """Return the spec as JSON values."""
    return {
        "analytic_id": str(spec.analytic_id),
        "stream_id": str(spec.stream_id),
        "model": _encode_model(spec.model),
        "rate_fps": spec.rate_fps,
        "min_confidence": spec.min_confidence,
        "labels": sorted(spec.labels),
        "regions": [encode_region(region) for region in spec.regions],
        "mask": [[list(point) for point in polygon] for polygon in spec.mask],
        "plane": encode_plane(spec.plane) if spec.plane else None,
        "counting": encode_counting(spec.counting) if spec.counting else None,
        "rules": [encode_rule(rule) for rule in spec.rules],
        "first_number": spec.first_number,
        "parameters": dict(spec.parameters),
    }


def decode_analytic(raw: Mapping[str, Any]) -> AnalyticSpec:
    """Return the spec that `encode_analytic` wrote. Raises `ProtocolError` for anything else."""
    try:
        return AnalyticSpec(
            analytic_id=UUID(raw["analytic_id"]),
            stream_id=UUID(raw["stream_id"]),
            model=ModelSpec(**raw["model"]),
            rate_fps=float(raw["rate_fps"]),
            min_confidence=float(raw["min_confidence"]),
            labels=frozenset(raw["labels"]),
            regions=tuple(decode_region(region) for region in raw["regions"]),
            mask=tuple(tuple((x, y) for x, y in polygon) for polygon in raw["mask"]),
            plane=decode_plane(raw["plane"]) if raw["plane"] else None,
            counting=decode_counting(raw["counting"]) if raw["counting"] else None,
            rules=tuple(decode_rule(rule) for rule in raw["rules"]),
            first_number=int(raw["first_number"]),
            parameters=raw["parameters"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ProtocolError(f"an analytic that cannot be read: {exc!r}") from exc


def _encode_model(model: ModelSpec) -> dict[str, Any]:
    return {
        "version_id": model.version_id,
        "builtin": model.builtin,
        "file": model.file,
        "sha256": model.sha256,
        "runtime": model.runtime,
        "labels": list(model.labels),
        "parameters": dict(model.parameters),
    }
