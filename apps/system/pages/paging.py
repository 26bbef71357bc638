"""Pages of lists, by cursor where they are long, so that no row moves to another page; links keep filters."""

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.core.api.keyset import KeysetPagination


@dataclass(frozen=True, slots=True)
class CursorPage:
    """Some rows of a long list. `count` is known where the first page is the only one."""

    rows: list[Any]
    count: int | None
    has_more_than_count: bool
    previous_query: str
    next_query: str


def page_query(request: HttpRequest) -> str:
    """Return the query without `page`, ready to put `page=` behind it."""
    query = request.GET.copy()
    query.pop("page", None)
    text = query.urlencode()
    return f"{text}&" if text else ""


def cursor_page(request: HttpRequest, rows: QuerySet[Any], size: int) -> CursorPage:
    """Return the page that `?cursor=` names, or the first one. The rows' order ends with their key."""
    try:
        return _page(request, rows, size, has_cursor=True)
    except ValidationError:
        return _page(request, rows, size, has_cursor=False)


def _page(request: HttpRequest, rows: QuerySet[Any], size: int, *, has_cursor: bool) -> CursorPage:
    asked = copy.copy(request)
    query = request.GET.copy()
    for name in ("page", "page_size", *(() if has_cursor else ("cursor",))):
        query.pop(name, None)
    asked.GET = query  # type: ignore[assignment]  # the stubs tell changed queries and sent ones apart
    asked.META = {**request.META, "QUERY_STRING": query.urlencode()}
    pager = KeysetPagination()
    pager.page_size = size
    found = pager.paginate_queryset(rows, Request(asked)) or []
    answer = pager.get_paginated_response([]).data
    return CursorPage(
        rows=found,
        count=answer["count"],
        has_more_than_count=answer["has_more_than_count"],
        previous_query=urlsplit(answer["previous"] or "").query,
        next_query=urlsplit(answer["next"] or "").query,
    )
