"""Which streams a client wants to see, in which order."""

from django.db.models import Q, QuerySet

from apps.dialects.luna.callers import Caller
from apps.dialects.luna.queries import Query
from apps.dialects.luna.statuses import LAST, statuses_numbered
from apps.dialects.luna.streams import shown_reference, streams_for
from apps.streams.models import Stream

COLUMNS = {"create_time": "created_at", "name": "camera__name"}


def listed_streams(caller: Caller, query: Query) -> QuerySet[Stream]:
    """Return all streams that the request's filters take, in its order."""
    rows = streams_for(caller, query.uuid("account_id"))
    return _ordered(_narrowed(rows, query), query)


def _narrowed(rows: QuerySet[Stream], query: Query) -> QuerySet[Stream]:
    filters = {
        "pk__in": query.uuids("stream_ids"),
        "pk__gte": query.uuid("stream_id__gte"),
        "pk__lt": query.uuid("stream_id__lt"),
        "camera__name__in": query.words("names", longest=128),
        "created_at__gte": query.moment("create_time__gte"),
        "created_at__lt": query.moment("create_time__lt"),
        "luna__source__in": query.words("sources", longest=128),
        "luna__event_source_group__in": query.words("event_source_groups"),
    }
    rows = rows.filter(**{name: value for name, value in filters.items() if value})
    statuses = query.numbers("statuses", 0, LAST)
    if statuses:
        rows = rows.filter(source__life__in=statuses_numbered(statuses))
    return _narrowed_by_words(rows, query)


def _narrowed_by_words(rows: QuerySet[Stream], query: Query) -> QuerySet[Stream]:
    reference = query.text("reference")
    if reference is not None:
        shown = shown_reference(reference)
        rows = rows.filter(Q(luna__data__reference=shown) | Q(luna=None, camera__address=shown))
    groups = query.words("groups", longest=128)
    if groups:
        any_of = Q()
        for group in groups:
            any_of |= Q(luna__groups__contains=[group])
        rows = rows.filter(any_of)
    splittable = query.numbers("splittable", 0, 1)
    if splittable:
        is_one, is_other = Q(luna__splittable=True), Q(luna=None) | Q(luna__splittable=False)
        rows = rows.filter(is_one if splittable[0] else is_other)
    return rows


def _ordered(rows: QuerySet[Stream], query: Query) -> QuerySet[Stream]:
    order = query.choice("order", ("asc", "desc"), default="desc")
    column = query.choice("order_column", tuple(COLUMNS))
    if query.uuid("stream_id__gte") or query.uuid("stream_id__lt"):
        return rows.order_by("id")
    sign = "-" if order == "desc" else ""
    return rows.order_by(*([f"{sign}{COLUMNS[column]}"] if column else []), f"{sign}id")
