"""Sending what waits for one target: claimed by one sender at a time, in order, at least once.

1. Claim the target: its state's row, for longer than a try can take.
2. Take the first delivery that waits, write the message, send it. No transaction is open meanwhile.
3. Write down what came of it, if the claim is still ours: delivered, tried again later, or dead.
4. Go on with the next one, a few times, and give the claim back.

A sender that dies between 2 and 3 leaves the delivery as it was; the claim runs out, and it is sent again.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from apps.alerts import outlets
from apps.alerts.messages import Message, write
from apps.alerts.models import Delivery, DeliveryState, Target, TargetState
from apps.alerts.outlets import Answer, Parcel
from apps.alerts.pauses import TRIES_OF_REFUSED, is_refused, pause_after
from apps.alerts.pictures import picture_of
from apps.alerts.secrets import open_secret
from apps.cameras.models import Camera
from apps.core.exceptions import SecretsError

logger = logging.getLogger(__name__)

CLAIM_S = 20.0  # a look-up of the name takes 5 s at most, a try 10 s
RUN_S = 5.0
FAULT_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send to a target, until it runs out."""

    target_id: UUID
    token: UUID


def claim_next(*, troubled: bool, only: Sequence[UUID] = ()) -> Claim | None:
    """Claim the target that has waited longest: one that failed last time, or one that did not."""
    token = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {"token": token, "claim_s": CLAIM_S, "troubled": troubled, "only": list(only), "any": not only},
        )
        row = cursor.fetchone()
    return Claim(row[0], token) if row else None


_CLAIM = """
UPDATE alerts_target_state SET claim = %(token)s,
    claimed_until = statement_timestamp() + make_interval(secs => %(claim_s)s)
WHERE target_id = (
    SELECT state.target_id FROM alerts_target_state AS state
    JOIN alerts_target AS target ON target.id = state.target_id
    JOIN accounts_account AS account ON account.id = target.account_id
    WHERE state.next_at <= statement_timestamp() AND (state.failures > 0) = %(troubled)s
      AND (state.claimed_until IS NULL OR state.claimed_until < statement_timestamp())
      AND target.is_enabled AND account.is_active
      AND (%(any)s OR state.target_id = ANY(%(only)s::uuid[]))
    ORDER BY state.next_at LIMIT 1
    FOR UPDATE OF state SKIP LOCKED
)
RETURNING target_id
"""


def run(claim: Claim, *, keeps_connection: bool = True) -> int:
    """Send what waits for a claimed target, for a few seconds at most; return how much arrived."""
    sent, until_s = 0, time.monotonic() + RUN_S
    try:
        while time.monotonic() < until_s:
            delivery = _next(claim)
            if delivery is None:
                break
            if not _try(claim, delivery, keeps_connection=keeps_connection):
                break
            sent += 1
        _give_back(claim)
    except Exception:
        logger.exception("sending to target %s failed", claim.target_id)
        _give_back(claim, pause=FAULT_PAUSE)
    return sent


def _next(claim: Claim) -> Delivery | None:
    """Return the first that waits, with the claim prolonged; None where it is not time yet."""
    until = timezone.now() + timedelta(seconds=CLAIM_S)
    if not TargetState.objects.filter(target=claim.target_id, claim=claim.token).update(claimed_until=until):
        return None
    rows = Delivery.objects.filter(target=claim.target_id, state=DeliveryState.PENDING)
    head = rows.select_related("target").order_by("xid", "outbox_id").first()
    if head is None or (_closes_later(head) and head.attempts == 0):
        return None
    return head


def _closes_later(delivery: Delivery) -> bool:
    return delivery.closes_at is not None and delivery.closes_at > timezone.now()


def _try(claim: Claim, delivery: Delivery, *, keeps_connection: bool) -> bool:
    """Send one, and write down what came of it; tell whether the next one may follow at once."""
    now = timezone.now()
    if delivery.expires_at <= now:
        return _settle(claim, delivery, Answer(error=delivery.last_error or "it was too late"), now)
    if not _begin(claim, delivery, now):
        return True  # it has changed meanwhile: look again
    parcel = _parcel(delivery)
    if isinstance(parcel, Answer):
        return _settle(claim, delivery, parcel, now)
    if not keeps_connection:
        connection.close()  # it may take as long as the other side likes
    return _settle(claim, delivery, outlets.outlet_for(delivery.target.kind).send(parcel), timezone.now())


@transaction.atomic
def _begin(claim: Claim, delivery: Delivery, now: datetime) -> bool:
    """Note the try, under the lock under which digests grow; tell whether it is still as it was read."""
    if not TargetState.objects.select_for_update().filter(target=claim.target_id, claim=claim.token).exists():
        return False
    due = max(delivery.occurred_at, delivery.closes_at or delivery.occurred_at)
    delivery.attempts += 1
    delivery.is_late = now - due > timedelta(seconds=delivery.target.late_s)
    same = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.PENDING, count=delivery.count)
    return bool(same.update(attempts=delivery.attempts, attempted_at=now, is_late=delivery.is_late))


def _parcel(delivery: Delivery) -> Parcel | Answer:
    target = delivery.target
    try:
        secret = open_secret(target.secret)
    except SecretsError as error:
        return Answer(error=error.message)
    try:
        body = write(target.format, _message(delivery, target))
    except (KeyError, TypeError, ValueError, OSError) as error:
        logger.warning("delivery %s cannot be written as %s", delivery.pk, target.format, exc_info=error)
        return Answer(422, f"it cannot be written as {target.format}")
    if body is None:
        return Answer(204)  # nothing that this format tells
    return Parcel(
        id=delivery.pk,
        body=body,
        secret=secret,
        options=target.options,
        at=delivery.occurred_at,
        is_repeat=delivery.attempts > 1,
        is_late=delivery.is_late,
    )


def _message(delivery: Delivery, target: Target) -> Message:
    names = Camera.objects.filter(pk__in=[delivery.camera_id]).values_list("name", flat=True)
    return Message(
        id=delivery.pk,
        kind=delivery.kind,
        at=delivery.occurred_at,
        account_id=delivery.account_id,
        camera_id=delivery.camera_id,
        camera_name=names.first() or "" if delivery.camera_id else "",
        subject_kind=delivery.subject_kind,
        subject_id=delivery.subject_id,
        payload=delivery.payload,
        count=delivery.count,
        owner_kind=target.owner_kind,
        owner_id=target.owner_id,
        options=target.options.get("format", {}),
        picture=_picture(delivery, target),
    )


def _picture(delivery: Delivery, target: Target) -> bytes:
    if not target.options.get("includes_picture"):
        return b""
    return picture_of(delivery.kind, delivery.subject_id, delivery.payload)


@transaction.atomic
def _settle(claim: Claim, delivery: Delivery, answer: Answer, now: datetime) -> bool:
    """Write down what came of a try, if the claim still holds; tell whether to go on."""
    state = TargetState.objects.select_for_update().filter(target=claim.target_id, claim=claim.token).first()
    row = Delivery.objects.select_for_update().filter(pk=delivery.pk, state=DeliveryState.PENDING).first()
    if state is None or row is None:
        return False
    row.last_status, row.last_error = answer.status, answer.error[:300]
    if answer.is_ok:
        row.state, row.delivered_at = DeliveryState.DELIVERED, now
        state.failures, state.last_ok_at, state.last_error = 0, now, ""
    else:
        _note_failure(state, row, answer, now)
    row.save(update_fields=["state", "delivered_at", "last_status", "last_error"])
    if row.state != DeliveryState.PENDING:
        state.pending = max(0, state.pending - 1)
    state.save(update_fields=["failures", "last_ok_at", "last_failed_at", "last_error", "next_at", "pending"])
    return answer.is_ok or (row.state == DeliveryState.DEAD and row.expires_at <= now)


def _note_failure(state: TargetState, row: Delivery, answer: Answer, now: datetime) -> None:
    if row.expires_at > now:
        state.failures += 1
        state.last_failed_at, state.last_error = now, row.last_error
        state.next_at = now + pause_after(state.failures, asked_s=answer.retry_after_s)
    has_refused = is_refused(answer.status) and row.attempts >= TRIES_OF_REFUSED
    if row.expires_at <= now or has_refused:
        row.state = DeliveryState.DEAD


@transaction.atomic
def _give_back(claim: Claim, *, pause: timedelta | None = None) -> None:
    """End the claim, and say when there is something to do again."""
    state = TargetState.objects.select_for_update().filter(target=claim.target_id, claim=claim.token).first()
    if state is None:
        return
    rows = Delivery.objects.filter(target=claim.target_id, state=DeliveryState.PENDING)
    head = rows.order_by("xid", "outbox_id").first()
    now = timezone.now()
    if head is None:
        state.next_at = None
    else:
        due = head.closes_at if head.attempts == 0 and head.closes_at else now
        paused = state.next_at if state.failures and state.next_at else now
        state.next_at = max(now + (pause or timedelta()), due, paused)
    state.claim = state.claimed_until = None
    state.save(update_fields=["claim", "claimed_until", "next_at"])
