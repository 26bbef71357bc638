"""From news in the outbox to notices: what of it is told, and to which targets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.alerts.models import NoticeKind, OwnerKind, RuleTarget, Target
from apps.core.outbox import OutboxRow
from apps.core.times import from_us, to_us
from apps.inference.models import Event, Track

TEST_NEWS = "target.tested"
KINDS: Mapping[str, NoticeKind] = {
    "rule.fired": NoticeKind.RULE,
    "event.created": NoticeKind.EVENT,
    "track.closed": NoticeKind.TRACK,
    "analytic.result": NoticeKind.ANALYTIC_RESULT,
    "stream.status": NoticeKind.STREAM_STATUS,
    TEST_NEWS: NoticeKind.TEST,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    kind: NoticeKind
    xid: int
    outbox_id: int
    account_id: UUID
    camera_id: UUID | None
    subject_kind: str
    subject_id: UUID | None
    at: datetime
    payload: Mapping[str, Any]


@dataclass(slots=True)
class _Directory:
    """The targets of some accounts, looked up by what leads to them."""

    wanting: dict[tuple[UUID, str], list[Target]] = field(default_factory=lambda: defaultdict(list))
    owned: dict[tuple[str, UUID], list[Target]] = field(default_factory=lambda: defaultdict(list))
    of_rule: dict[UUID, list[Target]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[UUID, Target] = field(default_factory=dict)
    cameras: dict[UUID, frozenset[UUID]] = field(default_factory=dict)


def wants_tracks(account_id: UUID, camera_id: UUID) -> bool:
    """Tell whether some target wants to be told of tracks of a camera."""
    rows = Target.objects.filter(
        account_id=account_id, is_enabled=True, wants__contains=[NoticeKind.TRACK.value]
    )
    return rows.filter(Q(all_cameras=True) | Q(cameras=camera_id)).exists()


def addressed(rows: Sequence[OutboxRow]) -> dict[Target, list[Notice]]:
    """Return what each target is to be told of some news, in their order; targets in order of their keys."""
    told = [row for row in rows if row.account_id is not None and row.kind in KINDS]
    directory = _directory({row.account_id for row in told if row.account_id is not None})
    if not directory.by_id:
        return {}
    details = _details(told, directory)
    found: dict[UUID, list[Notice]] = defaultdict(list)
    for row in told:
        for target in _targets_of(row, directory):
            notice = _notice(row, details)
            if notice is not None:
                found[target.pk].append(notice)
    return {directory.by_id[key]: found[key] for key in sorted(found)}


def _directory(account_ids: set[UUID]) -> _Directory:
    directory = _Directory()
    rows = Target.objects.filter(
        account_id__in=account_ids, account__is_active=True, is_enabled=True
    ).prefetch_related("cameras")
    for target in rows.order_by("pk"):
        directory.by_id[target.pk] = target
        directory.cameras[target.pk] = frozenset(camera.pk for camera in target.cameras.all())
        if target.owner_kind and target.owner_id:
            directory.owned[target.owner_kind, target.owner_id].append(target)
        for kind in target.wants:
            directory.wanting[target.account_id, kind].append(target)
    for link in RuleTarget.objects.filter(target__in=directory.by_id).order_by("target_id"):
        directory.of_rule[link.rule_id].append(directory.by_id[link.target_id])
    return directory


def _targets_of(row: OutboxRow, directory: _Directory) -> Iterable[Target]:
    kind = KINDS[row.kind]
    if kind is NoticeKind.TEST:
        target = directory.by_id.get(row.subject_id) if row.subject_id else None
        return [target] if target else []
    if kind is NoticeKind.RULE:
        found = directory.of_rule.get(UUID(row.payload["rule_id"]), [])
    else:
        found = [
            *directory.wanting.get((row.account_id or UUID(int=0), kind.value), []),
            *directory.owned.get(_owner(row), []),
        ]
    return [
        target
        for target in found
        if target.all_cameras or directory.cameras[target.pk].issuperset(row.camera_ids or [UUID(int=0)])
    ]


def _owner(row: OutboxRow) -> tuple[str, UUID]:
    subject = row.subject_id or UUID(int=0)
    match KINDS[row.kind]:
        case NoticeKind.STREAM_STATUS:
            return OwnerKind.STREAM, subject
        case NoticeKind.ANALYTIC_RESULT:
            return OwnerKind.ANALYTIC, subject
        case _:
            return "", subject


def _details(rows: Sequence[OutboxRow], directory: _Directory) -> Mapping[UUID, Mapping[str, Any]]:
    """Return what the news itself does not say of events and tracks, where somebody wants to know."""
    ids = {
        kind: [
            row.subject_id
            for row in rows
            if row.subject_id and KINDS[row.kind] is kind and _is_wanted(row, kind, directory)
        ]
        for kind in (NoticeKind.EVENT, NoticeKind.TRACK)
    }
    found: dict[UUID, Mapping[str, Any]] = {}
    if ids[NoticeKind.EVENT]:
        for event in Event.objects.filter(pk__in=ids[NoticeKind.EVENT]):
            found[event.pk] = _event_words(event)
    if ids[NoticeKind.TRACK]:
        for track in Track.objects.filter(pk__in=ids[NoticeKind.TRACK]):
            found[track.pk] = _track_words(track)
    return found


def _is_wanted(row: OutboxRow, kind: NoticeKind, directory: _Directory) -> bool:
    return row.account_id is not None and bool(directory.wanting.get((row.account_id, kind.value)))


def _notice(row: OutboxRow, details: Mapping[UUID, Mapping[str, Any]]) -> Notice | None:
    kind, payload = KINDS[row.kind], row.payload
    if kind in {NoticeKind.EVENT, NoticeKind.TRACK}:
        if row.subject_id is None or row.subject_id not in details:
            return None  # it is gone already
        payload = {**details[row.subject_id]}
    at_us = payload.get("at_us")
    return Notice(
        kind=kind,
        xid=row.xid,
        outbox_id=row.id,
        account_id=row.account_id or UUID(int=0),
        camera_id=row.camera_ids[0] if len(row.camera_ids) == 1 else None,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        at=from_us(at_us) if isinstance(at_us, int) else row.created_at,
        payload=payload,
    )


def _event_words(event: Event) -> dict[str, Any]:
    return {
        "event_id": str(event.pk),
        "event_kind": event.kind,
        "cause": event.cause_name,
        "stream_id": str(event.stream_id or ""),
        "label": event.label,
        "confidence": event.confidence,
        "box": event.box,
        "at_us": to_us(event.start),
        "picture": f"/media/v1/events/{event.pk}/snapshot.jpg" if event.snapshot else "",
    }


def _track_words(track: Track) -> dict[str, Any]:
    return {
        "track_id": str(track.pk),
        "number": track.number,
        "stream_id": str(track.stream_id),
        "analytic_id": str(track.analytic_id),
        "label": track.label,
        "confidence": track.confidence,
        "start_us": to_us(track.start),
        "at_us": to_us(track.end),
        "best_us": to_us(track.best_at),
        "best_box": track.best_box,
        "path": track.path,
        "picture": f"/media/v1/tracks/{track.pk}/crop.jpg" if track.crop else "",
    }
