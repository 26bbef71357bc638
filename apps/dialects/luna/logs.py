"""What became of streams, entry by entry, and its clean-up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.access import Action
from apps.core import audit
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.errors import BAD_LOG_TARGET
from apps.dialects.luna.queries import Query
from apps.dialects.luna.statuses import LAST, number_of, statuses_numbered
from apps.dialects.luna.times import time_text
from apps.streams.life import Life
from apps.streams.life_log import LogQuery, clean, entries_for
from apps.streams.life_services import visible_log
from apps.streams.models import Stream, StreamLog

TARGETS = ("stream_id", "status", "error", "log_time", "last_processed_frame_time", "analytic_index")
HIGHEST_INDEX = 32_767
_FAILURES = {Life.FAILURE, Life.RESTART, Life.HANDLER_LOST}


def list_logs(caller: Caller, query: Query) -> list[dict[str, Any]]:
    """Return the entries that the request's filters take, newest first."""
    targets, page = query.targets(TARGETS, TARGETS, BAD_LOG_TARGET), query.page()
    wanted = _read(query)
    rows = _within(query.uuid("account_id"), _within(caller.account_id, visible_log(caller.actor)))
    found = list(entries_for(rows, wanted)[page.rows])
    names = _streams_of(found)
    index = next(iter(wanted.analytic_indexes), None)
    return [_represent(row, names, index, targets) for row in found]


def clean_logs(caller: Caller, before: datetime | None) -> int:
    """Delete older entries of what the caller manages, except each stream's last; return how many went."""
    rows = _within(caller.account_id, visible_log(caller.actor, Action.MANAGE_CAMERAS))
    until = before or timezone.now()
    with transaction.atomic():
        count = clean(rows, until)
        detail = {"before": until.isoformat(), "deleted": count}
        audit.record(caller.actor.ref(), "stream_log.cleaned", account_id=caller.account_id, detail=detail)
    return count


def _within(account_id: UUID | None, rows: QuerySet[StreamLog]) -> QuerySet[StreamLog]:
    return rows if account_id is None else rows.filter(account_id=account_id)


def _read(query: Query) -> LogQuery:
    return LogQuery(
        stream_ids=query.uuids("stream_ids"),
        statuses=statuses_numbered(query.numbers("statuses", 0, LAST)),
        analytic_indexes=query.numbers("analytic_indexes", 0, HIGHEST_INDEX),
        since=query.moment("log_time__gte"),
        until=query.moment("log_time__lt"),
    )


def _streams_of(rows: Sequence[StreamLog]) -> dict[UUID, UUID]:
    """Return the stream that each entry's source writes, the first of several."""
    sources = {row.source_id for row in rows}
    pairs = Stream.objects.filter(source__in=sources).order_by("-created_at").values_list("source_id", "pk")
    return dict(pairs)


def _represent(
    row: StreamLog, streams: dict[UUID, UUID], index: int | None, targets: Sequence[str]
) -> dict[str, Any]:
    """Return an entry. What is about the whole stream is about each analytic, so about the one asked for."""
    error = row.detail or row.code
    values = {
        "stream_id": str(streams.get(row.source_id, "")) or None,
        "status": number_of(row.status),
        "error": error or None if row.status in _FAILURES else None,
        "log_time": time_text(row.at),
        "last_processed_frame_time": time_text(row.last_frame_at),
        "analytic_index": index if row.analytic_index is None else row.analytic_index,
    }
    return {name: values[name] for name in targets}
