"""`?ordering=`: an allow-list, refused by name, and always ending in the key, so that pages never overlap."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request


class StableOrderingFilter(OrderingFilter):
    """Order by what the view lists in `ordering_fields`; without it, only in the view's own order."""

    ordering_fields: Sequence[str] = ()

    def get_ordering(self, request: Request, queryset: QuerySet[Model], view: Any) -> Sequence[str]:
        """Return the order asked for, or the view's own, with the key as the last word."""
        asked = request.query_params.get(self.ordering_param, "")
        terms = [term.strip() for term in asked.split(",") if term.strip()]
        allowed = {name for name, _ in self.get_valid_fields(queryset, view)}
        unknown = [term for term in terms if term.removeprefix("-") not in allowed]
        if unknown:
            known = ", ".join(sorted(allowed)) or "nothing"
            raise ValidationError(
                {self.ordering_param: [f"Cannot order by {unknown[0]!r}; it can be: {known}."]}
            )
        chosen = terms or self.get_default_ordering(view) or queryset.query.order_by or ()
        return self._with_key([str(term) for term in chosen], queryset)

    def _with_key(self, terms: list[str], queryset: QuerySet[Model]) -> list[str]:
        options = queryset.model._meta
        key = options.pk.name if options.pk else "pk"
        terms = terms or [str(term) for term in options.ordering or ()]
        if not any(term.lstrip("-") in {key, "pk"} for term in terms):
            terms.append(f"-{key}" if not terms or terms[0].startswith("-") else key)
        return terms

    def get_valid_fields(
        self, queryset: QuerySet[Model], view: Any, context: Mapping[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        names: Sequence[str] = getattr(view, "ordering_fields", None) or self.ordering_fields
        return [(name, name.replace("_", " ")) for name in names]
