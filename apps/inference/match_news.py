"""Matches of rules from news: the event and its outbox row in the same transaction.

The outbox row is `rule.matched` about the event, with the phase (start, update or end); whatever a rule then
does is its subscriber's business.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.core import outbox
from apps.inference.models import Analytic, Event, EventKind
from apps.inference.moments import microseconds, moment
from apps.inference.rule_port import rule_names
from omma_engine.ports import NewsItem
from omma_engine.rules import MatchPhase


def apply(analytic: Analytic, payload: Mapping[str, Any]) -> None:
    """Take one piece of news about a match; one that is known already changes nothing."""
    event = Event.objects.filter(id=payload["event_id"]).first()
    phase = MatchPhase(payload["phase"])
    if event is None:
        _begin(analytic, payload)
        if phase is MatchPhase.END:
            _go_on(analytic, Event.objects.get(id=payload["event_id"]), payload, phase)
    elif phase is not MatchPhase.START:
        _go_on(analytic, event, payload, phase)


def end_leftovers(analytic: Analytic, items: Iterable[NewsItem] = ()) -> None:
    """End the matches that an earlier life of this analytic left open, at the last moment they were seen."""
    own = [item.payload["event_id"] for item in items if "event_id" in item.payload]
    left = Event.objects.filter(
        kind=EventKind.RULE, end=None, camera_id=analytic.camera_id, detail__analytic_id=str(analytic.id)
    )
    for event in left.exclude(id__in=own):
        _finish(analytic, event, event.detail["until_us"])


def _begin(analytic: Analytic, payload: Mapping[str, Any]) -> None:
    rule_id = UUID(payload["rule_id"])
    event = Event.objects.create(
        id=UUID(payload["event_id"]),
        account_id=analytic.account_id,
        camera_id=analytic.camera_id,
        stream_id=analytic.stream_id,
        kind=EventKind.RULE,
        cause_kind="rule",
        cause_id=rule_id,
        cause_name=rule_names([rule_id]).get(rule_id, "")[:120],
        start=moment(payload["at_us"]),
        label=payload["label"][:64],
        confidence=payload["confidence"],
        track_id=UUID(payload["track_id"]) if payload["track_id"] else None,
        box=payload["box"],
        snapshot=payload["snapshot"],
        detail={
            "analytic_id": str(analytic.id),
            "track_number": payload["track_number"],
            "until_us": payload["until_us"],
        },
    )
    _tell(event, MatchPhase.START)
    _tell_changed(event, "event.created")


def _go_on(analytic: Analytic, event: Event, payload: Mapping[str, Any], phase: MatchPhase) -> None:
    if event.end is not None:
        return
    is_better = payload["confidence"] > (event.confidence or 0.0)
    if is_better:
        event.confidence, event.box = payload["confidence"], payload["box"]
    if phase is MatchPhase.END:
        _finish(analytic, event, payload["until_us"])
    elif payload["until_us"] > event.detail["until_us"]:
        event.detail = {**event.detail, "until_us": payload["until_us"]}
        event.save(update_fields=["confidence", "box", "detail"])
        _tell(event, MatchPhase.UPDATE)


def _finish(analytic: Analytic, event: Event, until_us: int) -> None:
    event.end = max(event.start, moment(until_us))
    event.detail = {**event.detail, "until_us": until_us}
    event.save(update_fields=["confidence", "box", "detail", "end"])
    _tell(event, MatchPhase.END)
    _tell_changed(event, "event.updated")


def _tell(event: Event, phase: MatchPhase) -> None:
    outbox.publish(
        "rule.matched",
        subject_kind="event",
        subject_id=event.id,
        account_id=event.account_id,
        camera_ids=_cameras(event),
        payload={
            "phase": phase.value,
            "rule_id": str(event.cause_id),
            "event_id": str(event.id),
            "stream_id": str(event.stream_id),
            "camera_id": str(event.camera_id),
            "analytic_id": event.detail["analytic_id"],
            "track_number": event.detail["track_number"],
            "label": event.label,
            "confidence": event.confidence,
            "at_us": microseconds(event.start),
            "until_us": event.detail["until_us"],
        },
    )


def _tell_changed(event: Event, kind: str) -> None:
    outbox.publish(
        kind,
        subject_kind="event",
        subject_id=event.id,
        account_id=event.account_id,
        camera_ids=_cameras(event),
    )


def _cameras(event: Event) -> list[UUID]:
    return [event.camera_id] if event.camera_id else []
