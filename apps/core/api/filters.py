"""Filters that lists share: values that may be given several times, words, parts of one, and ranges."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

MAX_VALUES = 64
MAX_TEXT_LENGTH = 200


class _ManyField(forms.Field):
    """Each of `?camera=…&camera=…`, cleaned by one field."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, each: forms.Field, **options: Any) -> None:
        super().__init__(**options)
        self._each = each

    def clean(self, value: Any) -> list[Any]:
        given = [one for one in value or () if one != ""]
        if len(given) > MAX_VALUES:
            raise forms.ValidationError(f"{MAX_VALUES} values at most.")
        return list(dict.fromkeys(self._each.clean(one) for one in given))


class _ManyFilter(django_filters.Filter):
    """Rows with any of the values."""

    field_class = _ManyField

    def filter(self, qs: QuerySet[Any], value: list[Any]) -> QuerySet[Any]:
        if not value:
            return qs
        if len(value) == 1:  # an index can give the order of one, not of several
            return qs.filter(**{str(self.field_name): value[0]})
        return qs.filter(**{f"{self.field_name}__in": value})


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
class ManyIdsFilter(_ManyFilter):
    """Rows with any of these ids."""

    def __init__(self, **options: Any) -> None:
        super().__init__(each=forms.UUIDField(), **options)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class ManyWordsFilter(_ManyFilter):
    """Rows with any of these words, in small letters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(each=_WordField(max_length=64), **options)


class _WordField(forms.CharField):
    """Labels are kept in small letters."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return text.lower()


class TextFilter(django_filters.CharFilter):
    """Text of a bounded length; one that PostgreSQL cannot hold is refused by the form's field."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_TEXT_LENGTH, **options)


class PartFilter(django_filters.NumberFilter):
    """A number from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=1, **options)


class RangedFilterSet(django_filters.FilterSet):
    """Knows which filters are the two ends of a range; one that ends before it starts is refused."""

    ends: ClassVar[tuple[str, str]] = ("start", "end")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        values = self.form.cleaned_data
        first, last = (values.get(name) for name in self.ends)
        if first is not None and last is not None and last <= first:
            raise ValidationError({self.ends[1]: ["The end must be after the start."]})
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows


def one_or_many(name: str, ids: Sequence[UUID]) -> dict[str, Any]:
    """Return the lookup of some ids; that of a single one lets an index give the order."""
    return {name: ids[0]} if len(ids) == 1 else {f"{name}__in": list(ids)}
