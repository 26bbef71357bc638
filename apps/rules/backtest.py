"""What a rule would have done in the past: over stored tracks at once, or over footage as an analysis.

Nothing is stored but an analysis' own result: no event, no recording, no message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.accounts.access import Action, Actor, require
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.times import from_us, to_us
from apps.inference.analyses.models import Analysis, AnalysisMode
from apps.inference.analyses.services import NewAnalysis, start_analysis
from apps.inference.models import Analytic, Track
from apps.rules.conditions import condition_of
from apps.rules.firing import Outcome
from apps.rules.models import Rule
from apps.rules.services import resource_of
from apps.streams.coverage import partition_ceiling, partition_floor
from apps.streams.models import Mode, Stream
from omma_engine.rules.conditions import ConditionKind
from omma_engine.rules.frame_rule import FrameRule
from omma_engine.rules.replay import StoredTrack, replay

MOST_TRACKS = 20_000
LONGEST = timedelta(days=31)
_LONGEST_TRACK = timedelta(days=1)
_NEEDS_PICTURES = {ConditionKind.SPEED, ConditionKind.STATIONARY}


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One time that the rule would have fired, what would have come of it, and why."""

    at: datetime
    until: datetime
    label: str
    confidence: float
    track_number: int
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A match, whoever found it."""

    at: datetime
    until: datetime
    label: str
    confidence: float
    track_number: int


def try_on_tracks(
    *, actor: Actor, rule: Rule, stream: Stream, start: datetime, end: datetime
) -> list[WouldFire]:
    """Return what the rule would have done with the tracks that began in `[start, end)`."""
    _require(actor, rule, stream, start, end)
    condition = condition_of(rule)
    if condition.condition is not None and condition.condition.kind in _NEEDS_PICTURES:
        raise InvalidInputError("How fast something is can be seen in footage only.", field="over")
    rows = Track.objects.filter(
        stream_id=stream.pk,
        start__gte=start - _LONGEST_TRACK,
        start__lt=end,
        end__gte=start,
        id__gte=partition_floor(start - _LONGEST_TRACK),
        id__lt=partition_ceiling(end),
    )
    if condition.labels:
        rows = rows.filter(label__in=condition.labels)
    found = list(rows.filter(confidence__gte=condition.min_confidence).order_by("start")[: MOST_TRACKS + 1])
    if len(found) > MOST_TRACKS:
        raise InvalidInputError(f"There are more than {MOST_TRACKS} tracks in this time.", field="end")
    seen = [
        _Seen(from_us(match.at_us), from_us(match.until_us), match.label, match.confidence, match.track)
        for own in _by_source(found).values()
        for match in replay(condition, own)
    ]
    return _decide(rule, stream, condition, (each for each in seen if each.until >= start and each.at < end))


def begin_on_footage(*, actor: Actor, rule: Rule, stream: Stream, start: datetime, end: datetime) -> Analysis:
    """Begin an analysis of `[start, end)` by the stream's own analytics that evaluates this rule alone."""
    _require(actor, rule, stream, start, end)
    analytics = list(
        Analytic.objects.filter(stream=stream, is_enabled=True).select_related(
            "model_version__model", "stream"
        )
    )
    if not analytics:
        raise InvalidInputError("Nothing is looked for on this stream.", field="stream")
    return start_analysis(
        actor=actor,
        wanted=NewAnalysis(
            stream,
            start,
            end,
            analytics=analytics,
            name=f"Back-test: {rule.name}"[:200],
            mode=AnalysisMode.BACKTEST,
            rules=[condition_of(rule)],
        ),
    )


def firings_of(rule: Rule, analysis: Analysis) -> list[WouldFire]:
    """Return what the rule would have done, of a back-test that is done. Raises `ConflictError` before."""
    if not analysis.result:
        raise ConflictError("There is no result.", code="no_result_yet")
    seen = [
        _Seen(
            from_us(match["at_us"]),
            from_us(match["until_us"]),
            match["label"],
            match["confidence"],
            match["track_number"],
        )
        for match in analysis.result["matches"]
        if match["rule_id"] == str(rule.pk)
    ]
    return _decide(rule, analysis.stream, condition_of(rule), seen)


def _require(actor: Actor, rule: Rule, stream: Stream, start: datetime, end: datetime) -> None:
    require(actor, Action.EDIT_RULES, resource_of(rule))
    is_about = rule.all_cameras or rule.cameras.filter(pk=stream.camera_id).exists()
    if stream.account_id != rule.account_id or not is_about:
        raise InvalidInputError("The rule is not about this stream's camera.", field="stream")
    if end <= start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if end - start > LONGEST:
        raise InvalidInputError(f"Expected at most {LONGEST.days} days.", field="end")


def _by_source(rows: Iterable[Track]) -> Mapping[tuple[Any, Any], Sequence[StoredTrack]]:
    """Return tracks by who found them: seen by two analytics, a thing is two to a rule, as it is live."""
    grouped: dict[tuple[Any, Any], list[StoredTrack]] = {}
    for row in rows:
        x1, y1, x2, y2 = row.best_box or (0.0, 0.0, 0.0, 0.0)
        grouped.setdefault((row.analytic_id, row.analysis_id), []).append(
            StoredTrack(
                number=row.number,
                label=row.label,
                confidence=row.confidence,
                start_us=to_us(row.start),
                end_us=to_us(row.end),
                box_norm=(x1, y1, x2, y2),
                path=row.path,
            )
        )
    return grouped


def _decide(rule: Rule, stream: Stream, condition: FrameRule, seen: Iterable[_Seen]) -> list[WouldFire]:
    """Say of each match what would have come of it, in order of time, as `firing` decides live."""
    records = (
        rule.records and Stream.objects.filter(camera_id=stream.camera_id).exclude(mode=Mode.OFF).exists()
    )
    fired: list[WouldFire] = []
    last: datetime | None = None
    for each in sorted(seen, key=lambda one: one.at):
        outcome = Outcome.RECORDED if records else Outcome.NOTED
        why = _why(condition, each)
        if rule.cooldown_s and last is not None and each.at - last < timedelta(seconds=rule.cooldown_s):
            outcome, why = Outcome.COOLDOWN, f"it fired less than {rule.cooldown_s:g} s before"
        else:
            last = each.at
        fired.append(
            WouldFire(each.at, each.until, each.label, each.confidence, each.track_number, outcome.value, why)
        )
    return fired


def _why(condition: FrameRule, each: _Seen) -> str:
    place = "in the zone" if condition.polygon else "in the picture"
    lasted_s = (each.until - each.at).total_seconds()
    sure = f"{each.confidence:.2f} (wanted {condition.min_confidence:.2f})"
    text = f"{each.label} at {sure} {place} for {lasted_s:.1f} s"
    if condition.min_duration_s:
        text += f" (wanted {condition.min_duration_s:g} s)"
    return text if condition.condition is None else f"{text}, and {condition.condition.kind.value} held"
