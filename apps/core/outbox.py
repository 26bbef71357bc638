"""News that must not be lost: written in the transaction that makes it, read in commit order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.core.models import Outbox, OutboxPosition

CHANNEL = "omma_outbox"
KEPT = timedelta(hours=24)
FORGOTTEN = "(forgotten)"  # the position row that says up to where rows were deleted


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the news. Its text form is `<xid>-<id>`."""

    xid: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return the cursor in a text; raise `ValueError` when it is none."""
        xid, _, row_id = text.partition("-")
        if not (xid.isascii() and xid.isdigit() and row_id.isascii() and row_id.isdigit()):
            raise ValueError(f"expected <number>-<number>, got {text!r}")
        return cls(int(xid), int(row_id))


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One piece of news, as its readers get it."""

    id: int
    xid: int
    kind: str
    account_id: UUID | None
    camera_ids: tuple[UUID, ...]
    subject_kind: str
    subject_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.xid, self.id)

    @classmethod
    def of(cls, row: Outbox) -> "OutboxRow":
        """Return the plain values of a row."""
        return cls(
            id=row.id,
            xid=row.xid,
            kind=row.kind,
            account_id=row.account_id,
            camera_ids=tuple(UUID(camera_id) for camera_id in row.camera_ids),
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            payload=row.payload,
            created_at=row.created_at,
        )


Handler = Callable[[OutboxRow], None]
BatchHandler = Callable[[Sequence[OutboxRow]], None]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who wants which kinds of news. The handler is idempotent by the row's id.

    `take_batch` is there for those that take many at once; `handler` is then the same for one.
    """

    name: str
    kinds: frozenset[str]
    handler: Handler
    take_batch: BatchHandler | None = None


_subscribers: dict[str, Subscriber] = {}  # filled once, while the apps get ready


def publish(
    kind: str,
    *,
    subject_kind: str,
    subject_id: UUID | None,
    account_id: UUID | None = None,
    camera_ids: Iterable[UUID] = (),
    payload: dict[str, Any] | None = None,
) -> Outbox:
    """Write a piece of news in the caller's transaction, and wake its readers when that commits."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{kind}: news belongs into the transaction that makes it"
        )
    row = Outbox.objects.create(
        kind=kind,
        subject_kind=subject_kind,
        subject_id=subject_id,
        account_id=account_id,
        camera_ids=[str(camera_id) for camera_id in camera_ids],
        payload=payload or {},
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return row


def subscribe(name: str, kinds: Iterable[str], handler: Handler) -> None:
    """Register a reader, in `AppConfig.ready`. A new one starts with what is still kept (24 h).

    The handler runs inside the transaction that also moves the reader's position.
    """
    _subscribers[name] = Subscriber(name, frozenset(kinds), handler)


def subscribe_batches(name: str, kinds: Iterable[str], handler: BatchHandler) -> None:
    """Register a reader that takes many pieces of news in one transaction, for when there are thousands."""
    _subscribers[name] = Subscriber(name, frozenset(kinds), lambda row: handler([row]), handler)


def subscribers() -> list[Subscriber]:
    """Return all readers."""
    return list(_subscribers.values())


def read_after(cursor: Cursor, limit: int = 200) -> list[OutboxRow]:
    """Return committed news after a place, in order. Nothing that is still being written is overtaken."""
    rows = Outbox.objects.extra(  # a row comparison has no expression in the ORM
        where=["(xid, id) > (%s, %s)", "xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"],
        params=[cursor.xid, cursor.id],
    ).order_by("xid", "id")
    return [OutboxRow.of(row) for row in rows[:limit]]


def latest_cursor() -> Cursor:
    """Return the place after everything that can be read now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (horizon,) = cursor.fetchone()
    return Cursor(horizon - 1, 2**63 - 1)


def is_forgotten(cursor: Cursor) -> bool:
    """Tell whether news after this place has been deleted already, so that the reader has to start afresh."""
    row = OutboxPosition.objects.filter(subscriber=FORGOTTEN).first()
    return row is not None and cursor < Cursor(row.xid, row.outbox_id)


def forget_old(now: datetime | None = None) -> int:
    """Delete news past its keeping time and remember up to where; return how many rows went."""
    limit = (now or timezone.now()) - KEPT
    with transaction.atomic():
        old = Outbox.objects.filter(created_at__lt=limit)
        last = old.order_by("-xid", "-id").first()
        if last is None:
            return 0
        count, _ = old.delete()
        OutboxPosition.objects.update_or_create(
            subscriber=FORGOTTEN, defaults={"xid": last.xid, "outbox_id": last.id}
        )
    return count
