"""Pages by cursor: as cheap deep inside a table of millions as at its beginning, and none overlaps another.

A cursor holds the last row's values of the order asked for, which always ends in the key. Rows that come or
go meanwhile move nobody to another page.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Self

from django.core.exceptions import ValidationError as FieldError
from django.core.paginator import Paginator
from django.db.models import F, Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.core.api.pagination import PageNumberPagination

MAX_DEPTH = 10_000  # rows that can be reached by page number


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order; empty values are last, whichever way it goes."""

    field: Field[Any, Any]
    is_descending: bool

    @property
    def name(self) -> str:
        return self.field.name

    def text_of(self, value: Any) -> str:
        """Return a value as `to_python` reads it."""
        holder: Any = SimpleNamespace(**{self.field.attname: value})  # stands for a row
        return str(self.field.value_to_string(holder))

    def order(self, *, is_forward: bool) -> Any:
        column = F(self.name)
        nulls = {} if not self.field.null else {"nulls_last" if is_forward else "nulls_first": True}
        return column.desc(**nulls) if self.is_descending is is_forward else column.asc(**nulls)

    def beyond(self, value: Any, *, is_forward: bool) -> Q:
        """Select what comes after a value in this direction."""
        if value is None:
            return Q(pk__in=[]) if is_forward else Q(**{f"{self.name}__isnull": False})
        lookup = "lt" if self.is_descending is is_forward else "gt"
        after = Q(**{f"{self.name}__{lookup}": value})
        return after | Q(**{f"{self.name}__isnull": True}) if self.field.null and is_forward else after

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the values of the row before it (after it, going backward)."""

    values: tuple[Any, ...]
    is_forward: bool

    @classmethod
    def of_row(cls, row: Model, terms: Sequence[Term], *, is_forward: bool) -> Self:
        return cls(tuple(getattr(row, term.name) for term in terms), is_forward)

    @classmethod
    def parse(cls, text: str, terms: Sequence[Term]) -> Self:
        """Read a cursor that `text_for` wrote for the same order.

        Raises:
            ValidationError: it is another order's, or none.
        """
        try:
            padded = text + "=" * (-len(text) % 4)
            order, is_forward, values = json.loads(base64.b64decode(padded, b"-_", validate=True))
            if "\\u0000" in json.dumps(values):
                raise ValueError
            if order != _order_text(terms) or len(values) != len(terms):
                raise ValidationError({"cursor": ["This cursor is of another order."]})
            pairs = zip(terms, values, strict=True)
            return cls(tuple(None if one is None else term.field.to_python(one) for term, one in pairs),
                       bool(is_forward))  # fmt: skip
        except (binascii.Error, ValueError, TypeError, FieldError, RecursionError) as error:
            raise ValidationError({"cursor": ["This is no cursor."]}) from error

    def text_for(self, terms: Sequence[Term]) -> str:
        values = [
            None if one is None else term.text_of(one) for term, one in zip(terms, self.values, strict=True)
        ]
        data = json.dumps([_order_text(terms), self.is_forward, values], separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    def condition(self, terms: Sequence[Term]) -> Q:
        """Select the rows beyond; the first column's own bound is what an index can use."""
        rest = Q(pk__in=[])
        for term, value in zip(reversed(terms), reversed(self.values), strict=True):
            rest = term.beyond(value, is_forward=self.is_forward) | (term.same(value) & rest)
        first, value = terms[0], self.values[0]
        return (first.beyond(value, is_forward=self.is_forward) | first.same(value)) & rest


class KeysetPagination(PageNumberPagination):
    """`?cursor=` as `next` and `previous` give it; `?page=` still works for the first rows."""

    cursor_query_param = "cursor"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        terms = _terms_of(queryset)
        self._is_numbered = not terms or self.page_query_param in request.query_params
        if self._is_numbered:
            self.django_paginator_class = _ShallowPaginator
            return super().paginate_queryset(queryset, request, view)
        self.request = request
        self._base = request.build_absolute_uri()
        size = self.get_page_size(request) or 1
        text = request.query_params.get(self.cursor_query_param, "")
        cursor = Cursor.parse(text, terms) if text else None
        rows, has_more = _page(queryset, terms, cursor, size)
        is_forward = cursor is None or cursor.is_forward
        self._after = self._place(rows, terms, is_forward=True) if has_more or not is_forward else None
        has_before = cursor is not None and (is_forward or has_more)
        self._before = self._place(rows, terms, is_forward=False) if has_before else None
        self._counted = (len(rows), has_more) if cursor is None else (None, False)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        if self._is_numbered:
            counted: int = self.page.paginator.count  # type: ignore[union-attr]  # set with the page
            self._counted = counted, counted >= MAX_DEPTH
        is_numbered = self._is_numbered
        return Response(
            {
                "count": self._counted[0],
                "has_more_than_count": self._counted[1],
                "next": self.get_next_link() if is_numbered else self._link(self._after),
                "previous": self.get_previous_link() if is_numbered else self._link(self._before),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = super().get_paginated_response_schema(schema)
        answer["properties"] |= {
            "count": {
                "type": "integer",
                "nullable": True,
                "description": "How many are on the first page: counting more would read them all. "
                f"With `page` all are counted, up to {MAX_DEPTH:,}; with `cursor` none.",
            },
            "has_more_than_count": {"type": "boolean"},
        }
        answer["required"] = [*answer["required"], "has_more_than_count"]
        return answer

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        cursor = {
            "name": self.cursor_query_param,
            "required": False,
            "in": "query",
            "description": "A place in the list, as `next` and `previous` name it.",
            "schema": {"type": "string"},
        }
        return [*described, cursor]

    def _place(self, rows: list[Any], terms: Sequence[Term], *, is_forward: bool) -> str | None:
        if not rows:
            return None
        return Cursor.of_row(rows[-1 if is_forward else 0], terms, is_forward=is_forward).text_for(terms)

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(
            remove_query_param(self._base, self.page_query_param), self.cursor_query_param, cursor
        )


class _ShallowPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts no further than can be paged to."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list  # a query, which the stubs do not say
        return int(rows[:MAX_DEPTH].count())

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-self.count // self.per_page))


def _terms_of(queryset: QuerySet[Any]) -> tuple[Term, ...]:
    """Return the columns that the rows are ordered by; none where one is no column of the rows."""
    columns = {field.name: field for field in queryset.model._meta.concrete_fields}
    terms = []
    for one in queryset.query.order_by:
        text = one if isinstance(one, str) else ""
        name = text.removeprefix("-")
        field = queryset.model._meta.pk if name == "pk" else columns.get(name)
        if field is None:
            return ()
        terms.append(Term(field, is_descending=text.startswith("-")))
    is_total = any(term.field.primary_key for term in terms)
    return tuple(terms) if is_total else ()


def _page(
    queryset: QuerySet[Any], terms: Sequence[Term], cursor: Cursor | None, size: int
) -> tuple[list[Any], bool]:
    """Return the rows of a page in the order asked for, and whether there are more in its direction."""
    is_forward = cursor is None or cursor.is_forward
    rows = queryset if cursor is None else queryset.filter(cursor.condition(terms))
    ordered = rows.order_by(*(term.order(is_forward=is_forward) for term in terms))
    found = list(ordered[: size + 1])
    kept = found[:size]
    return (kept if is_forward else kept[::-1]), len(found) > size


def _order_text(terms: Sequence[Term]) -> str:
    return ",".join(f"{'-' if term.is_descending else ''}{term.name}" for term in terms)
