"""Putting notices into the targets' queues: one row each while they are few, one digest while they are many.

Runs in the transaction that also moves the reader's position, so each notice is counted exactly once. Writes
are bounded: a batch of news changes at most `per_minute` rows and one digest of a target.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import connection
from django.utils import timezone

from apps.alerts.models import Delivery, DeliveryState, NoticeKind, Target, TargetState
from apps.alerts.notices import Notice, addressed
from apps.core.outbox import OutboxRow
from apps.core.times import to_us

CHANNEL = "omma_deliveries"
LIFETIME = timedelta(hours=24)
MAX_PENDING = 10_000  # of a target that takes nothing; what comes beyond is counted in a digest
SAMPLES = 10  # notices that a digest shows


def take(rows: Sequence[OutboxRow]) -> None:
    """Take a batch of news: the outbox's subscriber."""
    now = timezone.now()
    for target, notices in addressed(rows).items():
        _put(target, notices, now)


def _put(target: Target, notices: list[Notice], now: datetime) -> None:
    state = TargetState.objects.select_for_update().get(target=target)
    upto = (state.upto_xid, state.upto_id)
    notices = [notice for notice in notices if (notice.xid, notice.outbox_id) > upto]
    if not notices:
        return
    state.upto_xid, state.upto_id = notices[-1].xid, notices[-1].outbox_id
    _refill(state, target, now)
    digest = _open_digest(target, state, now)
    made: list[Delivery] = []
    for notice in notices:
        if (
            digest is None
            and (state.tokens >= 1.0 or notice.kind is NoticeKind.TEST)
            and (state.pending + len(made) < MAX_PENDING)
        ):
            state.tokens = max(0.0, state.tokens - 1.0)
            made.append(_delivery(target, notice, now))
        else:
            digest = _added(digest or _new_digest(target, notice, now), notice)
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    state.pending = state.pending + len(made)
    if digest is not None and digest._state.adding:
        digest.save(force_insert=True)
        state.pending += 1
    elif digest is not None:
        digest.save(update_fields=["payload", "count"])
    if state.next_at is None:
        state.next_at = now
    state.save(update_fields=["tokens", "tokens_at", "upto_xid", "upto_id", "pending", "next_at"])
    wake_senders()


def wake_senders() -> None:
    """Wake whoever sends, when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def _refill(state: TargetState, target: Target, now: datetime) -> None:
    """Add the tokens of the time that has passed; a minute's worth at most."""
    most = float(target.per_minute)
    if state.tokens_at is None:
        state.tokens = most
    else:
        passed_s = max((now - state.tokens_at).total_seconds(), 0.0)
        state.tokens = min(most, state.tokens + passed_s * most / 60.0)
    state.tokens_at = now


def _open_digest(target: Target, state: TargetState, now: datetime) -> Delivery | None:
    """Return the digest that still takes in what comes: the last that waits, before it closes."""
    last = (
        Delivery.objects.filter(target=target, state=DeliveryState.PENDING)
        .order_by("xid", "outbox_id")
        .last()
    )
    if last is None or last.kind != NoticeKind.DIGEST or last.attempts or last.closes_at is None:
        return None
    is_full = state.pending >= MAX_PENDING
    return last if last.closes_at > now or is_full else None


def delivery_id(target_id: UUID, outbox_id: int) -> UUID:
    """Return the one id of what a target is told of a piece of news."""
    return uuid5(target_id, str(outbox_id))


def _delivery(target: Target, notice: Notice, now: datetime, **values: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": delivery_id(target.pk, notice.outbox_id),
        "account_id": target.account_id,
        "target": target,
        "kind": notice.kind,
        "xid": notice.xid,
        "outbox_id": notice.outbox_id,
        "camera_id": notice.camera_id,
        "subject_kind": notice.subject_kind,
        "subject_id": notice.subject_id,
        "occurred_at": notice.at,
        "payload": dict(notice.payload),
        "expires_at": now + LIFETIME,
        **values,
    }
    return Delivery(**fields)


def _new_digest(target: Target, notice: Notice, now: datetime) -> Delivery:
    sums = {
        "kinds": {},
        "first_us": to_us(notice.at),
        "last_us": to_us(notice.at),
        "samples": [],
    }
    return _delivery(
        target,
        notice,
        now,
        kind=NoticeKind.DIGEST,
        camera_id=None,
        subject_kind="",
        subject_id=None,
        payload=sums,
        count=0,
        closes_at=now + timedelta(seconds=target.digest_s),
    )


def _added(digest: Delivery, notice: Notice) -> Delivery:
    """Count a notice in."""
    sums = digest.payload
    digest.count += 1
    at_us = to_us(notice.at)
    sums["kinds"][notice.kind.value] = sums["kinds"].get(notice.kind.value, 0) + 1
    sums["first_us"], sums["last_us"] = min(sums["first_us"], at_us), max(sums["last_us"], at_us)
    if len(sums["samples"]) < SAMPLES:
        sums["samples"].append(
            {
                "kind": notice.kind.value,
                "camera_id": str(notice.camera_id or ""),
                "data": dict(notice.payload),
            }
        )
    return digest
