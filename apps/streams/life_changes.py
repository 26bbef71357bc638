"""How a source's life moves on: with its child's news, with its worker, and with time.

Every function here takes a source that the caller has locked, and runs in the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from apps.core.leases import nudge
from apps.core.models import Lease, LeaseKind, Node
from apps.streams.life import LOST_STEPS, Life, LifeFacts, is_restart_allowed, life_of, steps_between
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Source, SourceStatus
from apps.streams.selectors import last_frame_at

LEASE_GRACE = timedelta(seconds=3)  # a lease is renewed each second: one that ran out so long ago is lost
HEALTHY = timedelta(seconds=60)  # who has worked for so long has all attempts again
LOST = "its worker is gone"
_LIFE_FIELDS = (
    "is_wanted", "is_paused", "paused_until", "has_given_up", "restart_attempt", "restarted_at",
    "restart_due_at", "restart_serial", "status", "status_code", "status_detail", "status_at", "retry_at",
    "life", "life_code", "life_detail", "life_at", "handler", "handler_block", "last_frame_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Handler:
    """The worker that has a source's lease, and the block of its epoch."""

    name: str
    block: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something changes, for the log."""

    at: datetime
    code: str = ""
    detail: str = ""
    actor_name: str = ""


def handler_of(source: Source) -> Handler | None:
    """Return who has the source's lease; None where nobody has, or had for too long."""
    rows = Lease.objects.filter(object_id=source.pk, lease_until__gt=Now() - LEASE_GRACE).exclude(owner="")
    row = rows.values_list("owner", "epoch").first()
    return Handler(row[0], row[1] >> 20) if row else None


def take_news(source: Source, before: str, *, epoch: int) -> None:
    """Go on after the source's child has said its state, which stands in the row; `before` is the last one.

    Whoever says something has the source, whether its lease ran out meanwhile or not.
    """
    is_lost = False
    if epoch and source.is_wanted:
        handler = _speaker(source, epoch >> 20)
        is_lost = _has_lost(source, handler, before)
        source.handler, source.handler_block = handler.name, handler.block
    at = source.status_at
    if at is None:
        return
    if _has_failed(source):
        _give_up_for_now(source, at)
    reason = Reason(at, source.status_code, source.status_detail)
    _settle(source, reason, has_handler=True, is_lost=is_lost)


def look_again(source: Source, at: datetime) -> bool:
    """Go on after something but its child's news may have changed; tell whether anything had."""
    before = source.life
    if source.paused_until is not None and source.paused_until <= at:
        run(source, Reason(at, detail="the pause is over"))
    if source.restart_due_at is not None and source.restart_due_at <= at:
        _restart(source, at)
    handler = handler_of(source)
    had = source.handler
    is_lost = source.is_wanted and _has_lost(source, handler, source.status)
    source.handler = handler.name if handler and source.is_wanted else ""
    source.handler_block = handler.block if handler and source.is_wanted else None
    reason = Reason(at, source.status_code, source.status_detail)
    _settle(source, reason, has_handler=handler is not None, is_lost=is_lost)
    return (before, had) != (source.life, source.handler)


def run(source: Source, reason: Reason) -> None:
    """Make a source run from now on, whatever kept it from it; its life begins anew."""
    source.is_wanted, source.is_paused, source.has_given_up = True, False, False
    source.paused_until = source.restart_due_at = None
    source.restart_attempt = 0
    _begin_anew(source, reason.at)
    _settle(source, reason, has_handler=False)
    nudge(LeaseKind.SOURCE.value)


def rest(source: Source, reason: Reason, *, paused_until: datetime | None = None, is_pause: bool) -> None:
    """Stop a source, or pause it."""
    source.is_wanted, source.is_paused, source.has_given_up = False, is_pause, False
    source.paused_until, source.restart_due_at = paused_until, None
    source.handler, source.handler_block = "", None
    _settle(source, reason, has_handler=False)
    nudge(LeaseKind.SOURCE.value)


def _speaker(source: Source, block: int) -> Handler:
    """Return who says something under an epoch of this block."""
    handler = handler_of(source)
    if handler is not None and handler.block == block:
        return handler
    return Handler(source.handler if source.handler_block == block else "", block)


def _has_lost(source: Source, handler: Handler | None, state: str) -> bool:
    """Tell whether the worker that had it is gone without having said goodbye."""
    if not source.handler or source.handler_block is None:
        return False
    if handler is not None and handler.block == source.handler_block:
        return False
    if state in {SourceStatus.PENDING, SourceStatus.STOPPED, SourceStatus.ENDED}:
        return False  # nothing was going on: a worker that gives back and claims anew is not lost
    if handler is None and not Lease.objects.filter(object_id=source.pk).exclude(owner="").exists():
        return False  # it was given back
    return not Node.objects.filter(name=source.handler, is_draining=True).exists()


def _has_failed(source: Source) -> bool:
    is_bad = source.status in {SourceStatus.FAILED, SourceStatus.RECONNECTING}
    return is_bad and source.is_wanted and source.restart_limit is not None


def _give_up_for_now(source: Source, at: datetime) -> None:
    """End the child of a source with a limit, and say when it is tried again, if at all."""
    if source.life == Life.IN_PROGRESS and source.life_at is not None and at - source.life_at >= HEALTHY:
        source.restart_attempt = 0
    limit = source.restart_limit or 0
    source.is_wanted, source.has_given_up = False, True
    source.restart_due_at = None
    if is_restart_allowed(limit=limit, attempt=source.restart_attempt, code=source.status_code):
        source.restart_due_at = at + timedelta(seconds=source.restart_delay_s)
    nudge(LeaseKind.SOURCE.value)


def _restart(source: Source, at: datetime) -> None:
    source.is_wanted, source.has_given_up, source.restart_due_at = True, False, None
    source.restart_attempt += 1
    source.restarted_at = at
    _begin_anew(source, at)
    nudge(LeaseKind.SOURCE.value)


def _begin_anew(source: Source, at: datetime) -> None:
    """Forget what the last child said; a child that still lives is replaced."""
    source.restart_serial += 1
    source.status, source.status_code, source.status_detail = SourceStatus.PENDING, "", ""
    source.status_at, source.retry_at = at, None


def _settle(source: Source, reason: Reason, *, has_handler: bool, is_lost: bool = False) -> None:
    """Write down what its life is now, and each step to it."""
    after = life_of(_facts(source, has_handler=has_handler))
    before = Life(source.life)
    steps = steps_between(before, after, is_handler_lost=is_lost)
    if not steps and after in {Life.FAILURE, Life.RESTART} and _is_other_error(source, reason):
        steps = [Life.FAILURE] if after is Life.FAILURE else [Life.FAILURE, Life.RESTART]
    if steps:
        source.last_frame_at = last_frame_at(source.pk) or source.last_frame_at
    for number, step in enumerate(steps):
        why = _lost(step, reason.at) if is_lost and number < LOST_STEPS else reason
        source.life, source.life_at = step, why.at
        source.life_code, source.life_detail = why.code[:32], why.detail[:300]
        add_entry(source, Entry(step, why.at, why.code, why.detail, why.actor_name))
    source.save(update_fields=_LIFE_FIELDS)


def _lost(step: Life, at: datetime) -> Reason:
    return Reason(at, detail=LOST if step is Life.HANDLER_LOST else "")


def _is_other_error(source: Source, reason: Reason) -> bool:
    """Tell whether a source that is away is so for another reason than before."""
    return source.is_wanted and bool(reason.code) and reason.code != source.life_code


def _facts(source: Source, *, has_handler: bool) -> LifeFacts:
    return LifeFacts(
        state=source.status,
        code=source.status_code,
        is_allowed=source.camera.is_enabled and source.account.is_active,
        is_wanted=source.is_wanted,
        is_paused=source.is_paused,
        has_given_up=source.has_given_up,
        will_restart=source.restart_due_at is not None,
        has_handler=has_handler,
    )


def candidates() -> list[UUID]:
    """Return the ids of sources whose life is perhaps another than their row says."""
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"grace_s": LEASE_GRACE.total_seconds()})
        return [row[0] for row in cursor.fetchall()]


_CANDIDATES = """
SELECT source.id
FROM streams_source AS source
JOIN cameras_camera AS camera ON camera.id = source.camera_id
JOIN accounts_account AS account ON account.id = source.account_id
LEFT JOIN core_lease AS lease ON lease.object_id = source.id
WHERE source.restart_due_at <= statement_timestamp() OR source.paused_until <= statement_timestamp()
   OR (camera.is_enabled AND account.is_active
       AND (source.is_wanted OR source.is_paused OR source.has_given_up)) = (source.life = 'stop')
   OR (source.is_wanted AND lease.owner <> '' AND lease.lease_until > statement_timestamp()
       AND (source.handler <> lease.owner OR source.handler_block IS DISTINCT FROM lease.epoch >> 20))
   OR (source.handler <> '' AND (COALESCE(lease.owner, '') = ''
        OR lease.lease_until < statement_timestamp() - make_interval(secs => %(grace_s)s)))
ORDER BY source.id
"""
