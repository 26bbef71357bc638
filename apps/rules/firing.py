"""What a rule does when it matches: once per event, and the recording goes on while the match does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone

from apps.core import outbox
from apps.core.outbox import OutboxRow
from apps.core.times import from_us, to_us
from apps.recordings.growing import Cause, Sighting, open_or_extend
from apps.recordings.models import CauseKind
from apps.rules.models import Rule, RuleFiring
from apps.streams.models import Mode, Stream

KEPT = timedelta(days=90)


class Outcome(TextChoices):
    """What came of a firing."""

    RECORDED = "recorded"
    NOTED = "noted"  # an event and no recording: the rule records nothing, or the stream does not
    COOLDOWN = "cooldown"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class MatchNews:
    """News that a rule matches, as the outbox carries it."""

    rule_id: UUID
    event_id: UUID
    stream_id: UUID
    camera_id: UUID
    label: str
    confidence: float | None
    at: datetime
    until: datetime

    @classmethod
    def read(cls, payload: dict[str, Any]) -> "MatchNews":
        return cls(
            rule_id=UUID(payload["rule_id"]),
            event_id=UUID(payload["event_id"]),
            stream_id=UUID(payload["stream_id"]),
            camera_id=UUID(payload["camera_id"]),
            label=payload["label"],
            confidence=payload["confidence"],
            at=from_us(payload["at_us"]),
            until=from_us(payload["until_us"]),
        )


def fire(row: OutboxRow) -> None:
    """Take `rule.matched`: an event's first news decides what comes of it, later ones extend it."""
    handle_match(MatchNews.read(row.payload))


@transaction.atomic
def handle_match(match: MatchNews) -> RuleFiring | None:
    """Decide once per event, under the rule's lock; None where the rule is gone."""
    rule = Rule.objects.select_for_update(no_key=True, of=("self",)).filter(pk=match.rule_id).first()
    if rule is None:
        return None
    firing = RuleFiring.objects.filter(event_id=match.event_id).first() or _begin(rule, match)
    if firing.outcome == Outcome.RECORDED:
        _record(rule, match, firing)
    return firing


def forget_recording(row: OutboxRow) -> None:
    """Take `recording.deleted`: firings no longer point at it."""
    RuleFiring.objects.filter(recording_id=row.subject_id).update(recording_id=None)


def forget_old_firings(now: datetime | None = None) -> str:
    """Delete firings past their keeping time: the periodic job."""
    count, _ = RuleFiring.objects.filter(at__lt=(now or timezone.now()) - KEPT).delete()
    return f"{count} firings"


def _begin(rule: Rule, match: MatchNews) -> RuleFiring:
    outcome, reason = _decide(rule, match)
    firing = RuleFiring.objects.create(
        account_id=rule.account_id,
        rule=rule,
        camera_id=match.camera_id,
        event_id=match.event_id,
        at=match.at,
        outcome=outcome,
        reason=reason,
    )
    if outcome in {Outcome.RECORDED, Outcome.NOTED}:
        _tell(rule, match, firing)
    return firing


def _tell(rule: Rule, match: MatchNews, firing: RuleFiring) -> None:
    """Say that a rule has fired: what notifications are made of."""
    outbox.publish(
        "rule.fired",
        subject_kind="rule_firing",
        subject_id=firing.pk,
        account_id=rule.account_id,
        camera_ids=[match.camera_id],
        payload={
            "rule_id": str(rule.pk),
            "rule": rule.name,
            "event_id": str(match.event_id),
            "stream_id": str(match.stream_id),
            "label": match.label,
            "confidence": match.confidence,
            "at_us": to_us(match.at),
            "outcome": firing.outcome,
        },
    )


def _decide(rule: Rule, match: MatchNews) -> tuple[Outcome, str]:
    if not rule.is_enabled:
        return Outcome.OFF, "the rule is off"
    if rule.cooldown_s and _fired_lately(rule, match):
        return Outcome.COOLDOWN, f"it fired less than {rule.cooldown_s:g} s before"
    if not rule.records:
        return Outcome.NOTED, "the rule does not record"
    if _stream_to_record(match) is None:
        return Outcome.NOTED, "the recording of this camera is off"
    return Outcome.RECORDED, ""


def _fired_lately(rule: Rule, match: MatchNews) -> bool:
    since = match.at - timedelta(seconds=rule.cooldown_s)
    fired = RuleFiring.objects.filter(rule=rule, camera_id=match.camera_id, at__gt=since, at__lte=match.at)
    return fired.filter(outcome__in=[Outcome.RECORDED, Outcome.NOTED]).exists()


def _stream_to_record(match: MatchNews) -> UUID | None:
    """Return the camera's main stream, else the one that was looked at; neither where recording is off."""
    streams = Stream.objects.filter(camera_id=match.camera_id).exclude(mode=Mode.OFF)
    found = {stream.name: stream.pk for stream in streams}
    seen = match.stream_id if match.stream_id in found.values() else None
    return found.get("main", seen)


def _record(rule: Rule, match: MatchNews, firing: RuleFiring) -> None:
    stream_id = _stream_to_record(match)
    if stream_id is None:
        return
    recording = open_or_extend(
        stream_id=stream_id,
        cause=Cause(CauseKind.RULE, rule.pk, rule.name),
        sighting=Sighting(
            at=match.at,
            until=match.until,
            label=match.label,
            confidence=match.confidence,
            pre_roll_s=rule.pre_roll_s,
            post_roll_s=rule.post_roll_s,
        ),
    )
    if firing.recording_id is None:
        firing.recording_id = recording.pk
        firing.save(update_fields=["recording_id", "updated_at"])
