"""Filters that refuse what they cannot read; the framework takes `?is_enabled=nonsense` for no filter."""

from typing import Any

from django.db.models import Model, QuerySet
from django_filters import BooleanFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_TRUTH_VALUES = frozenset({"", "true", "false", "1", "0"})


class StrictFilterBackend(DjangoFilterBackend):
    """Apply a view's filters; a truth value that is none is a 400 that names the filter."""

    def get_filterset(  # type: ignore[override]  # the framework always hands in its own request
        self, request: Request, queryset: QuerySet[Model], view: Any
    ) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        if filterset is not None:
            wrong = [
                name
                for name, one in filterset.filters.items()
                if isinstance(one, BooleanFilter)
                and request.query_params.get(name, "").lower() not in _TRUTH_VALUES
            ]
            if wrong:
                raise ValidationError({name: ["Expected true or false."] for name in wrong})
        return filterset
