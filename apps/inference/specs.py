"""From analytic rows to what a supervisor should run."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Max
from django.utils import timezone

from apps.catalog import files
from apps.catalog.models import ModelVersion
from apps.inference import pausing
from apps.inference.models import Analytic, AnalyticKind, Track
from apps.inference.regions import stored_regions
from apps.inference.rule_port import frame_rules
from omma_engine.detect.spec import ModelSpec
from omma_engine.inference.counting import decode_counting
from omma_engine.inference.spec import AnalyticSpec, encode_analytic
from omma_engine.ports import Claimable
from omma_engine.rules import FrameRule, decode_plane


def wanted_analytics() -> list[Claimable]:
    """Return every analytic that should run now, and say of the others that their schedule pauses them.

    A changed row changes the fingerprint, and the analytic begins anew; changed rules reach a running one.
    """
    rows = list(
        Analytic.objects.filter(is_enabled=True, camera__is_enabled=True, stream__source__is_wanted=True)
        .select_related("model_version")
        .order_by("id")
    )
    rows = pausing.open_ones(rows, timezone.now())
    rules = frame_rules(rows)
    return [_claimable(row, rules.get(row.id, ())) for row in rows]


def spec_of(analytic: Analytic, rules: Sequence[FrameRule] = ()) -> AnalyticSpec:
    """Return what a host needs to know; the first track's number is filled in by `numbered`."""
    return AnalyticSpec(
        analytic_id=analytic.id,
        stream_id=analytic.stream_id,
        model=model_spec(analytic.model_version, analytic),
        rate_fps=analytic.rate_fps,
        min_confidence=analytic.min_confidence,
        labels=frozenset(analytic.labels),
        regions=stored_regions(analytic.regions),
        mask=tuple(tuple((x, y) for x, y in polygon) for polygon in analytic.motion_mask),
        plane=decode_plane(analytic.plane) if analytic.plane else None,
        counting=decode_counting(analytic.counting) if analytic.kind == AnalyticKind.PEOPLE_COUNT else None,
        rules=tuple(sorted(rules, key=lambda rule: rule.rule_id)),
    )


def model_spec(version: ModelVersion, analytic: Analytic) -> ModelSpec:
    """Return the model as the engine loads it; an analytic with own parameters gets an own detector."""
    parameters = {**version.parameters, **analytic.parameters}
    own = f"-{analytic.id}" if analytic.parameters else ""
    return ModelSpec(
        version_id=f"{version.id}{own}",
        builtin=version.builtin,
        file=str(files.path_of(version.file)) if version.file else "",
        sha256=version.sha256,
        runtime=version.runtime,
        labels=tuple(version.labels),
        parameters=parameters,
    )


def numbered(spec: AnalyticSpec) -> AnalyticSpec:
    """Return the spec with the number that the analytic's next track gets."""
    last = Track.objects.filter(analytic_id=spec.analytic_id).aggregate(last=Max("number"))["last"]
    return replace(spec, first_number=0 if last is None else last + 1)


def _claimable(analytic: Analytic, rules: Sequence[FrameRule]) -> Claimable:
    spec = spec_of(analytic, rules)
    text = json.dumps(encode_analytic(replace(spec, rules=())), sort_keys=True)
    return Claimable(analytic.id, hashlib.sha256(text.encode()).hexdigest(), spec)
