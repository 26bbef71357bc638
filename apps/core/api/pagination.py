"""How lists are cut into pages."""

from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination as BasePagination
from rest_framework.request import Request


class PageNumberPagination(BasePagination):
    """`?page=` and `?page_size=` (at most 200); anything else in them is refused by name."""

    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int | None:
        text = request.query_params.get("page_size")
        if text is not None and not (
            text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 200 and len(text) < 6
        ):
            raise ValidationError({"page_size": [f"Expected a number from 1 to {self.max_page_size}."]})
        return super().get_page_size(request)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except NotFound as exc:
            raise ValidationError({"page": ["There is no such page."]}) from exc
