"""The history of a stream: entries, the news that goes with each, reading them and cleaning up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from apps.core import outbox
from apps.core.times import to_us
from apps.streams.life import Life
from apps.streams.models import Source, Stream, StreamLog

STATUS_NEWS = "stream.status"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry to write. Without `analytic_index` it is about the stream."""

    status: Life
    at: datetime
    code: str = ""
    detail: str = ""
    actor_name: str = ""
    analytic_index: int | None = None
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which entries are wanted; what is empty does not matter.

    `analytic_indexes` also finds what is about the whole stream, and so about each of its analytics.
    """

    stream_ids: Sequence[UUID] = ()
    statuses: Sequence[str] = ()
    analytic_indexes: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None  # exclusive


def add_entry(source: Source, entry: Entry) -> StreamLog:
    """Write an entry, and tell each of the source's streams' readers; in the caller's transaction."""
    row = StreamLog.objects.create(
        account_id=source.account_id,
        camera_id=source.camera_id,
        source=source,
        at=entry.at,
        status=entry.status,
        code=entry.code[:32],
        detail=entry.detail[:300],
        actor_name=entry.actor_name[:200],
        handler=source.handler,
        last_frame_at=entry.last_frame_at or source.last_frame_at,
        analytic_index=entry.analytic_index,
    )
    _tell(source, row)
    return row


def _tell(source: Source, row: StreamLog) -> None:
    payload = {
        "log_id": row.pk,
        "source_id": str(source.pk),
        "status": str(row.status),
        "code": row.code,
        "error": row.detail if row.status in {Life.FAILURE, Life.HANDLER_LOST} else "",
        "detail": row.detail,
        "at_us": to_us(row.at),
        "last_frame_us": to_us(row.last_frame_at) if row.last_frame_at else None,
        "analytic_index": row.analytic_index,
        "handler": row.handler,
    }
    for stream_id in source.streams.values_list("pk", flat=True):
        outbox.publish(
            STATUS_NEWS,
            subject_kind="stream",
            subject_id=stream_id,
            account_id=source.account_id,
            camera_ids=[source.camera_id],
            payload={**payload, "stream_id": str(stream_id)},
        )


def entries_for(rows: QuerySet[StreamLog], query: LogQuery) -> QuerySet[StreamLog]:
    """Return the entries that are wanted out of some, newest first."""
    if query.stream_ids:
        sources = Stream.objects.filter(pk__in=list(query.stream_ids)).values("source")
        rows = rows.filter(source__in=sources)
    if query.statuses:
        rows = rows.filter(status__in=list(query.statuses))
    if query.analytic_indexes:
        rows = rows.filter(Q(analytic_index__in=list(query.analytic_indexes)) | Q(analytic_index=None))
    if query.since is not None:
        rows = rows.filter(at__gte=query.since)
    if query.until is not None:
        rows = rows.filter(at__lt=query.until)
    return rows.order_by("-at", "-id")


def clean(rows: QuerySet[StreamLog], before: datetime) -> int:
    """Delete entries of some that are older, but never a source's last one; return how many went."""
    sources = rows.order_by().values("source").distinct()
    last = (
        StreamLog.objects.filter(source__in=sources)
        .order_by()
        .values("source")
        .annotate(last=Max("id"))
        .values("last")
    )
    count, _ = StreamLog.objects.filter(
        pk__in=rows.order_by().filter(at__lt=before).exclude(pk__in=last).values("pk")
    ).delete()
    return count
