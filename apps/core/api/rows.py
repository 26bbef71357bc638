"""Serializers of lists: the same answer as the framework's, at a third of what it costs for each row."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

from django.db import models
from rest_framework import serializers

AnyModel = TypeVar("AnyModel", bound=models.Model)
Column = tuple[str, Callable[[Any], Any], Callable[[Any], Any]]


class UtcTimeField(serializers.DateTimeField):
    """A time as the API prints it: RFC 3339 in UTC with microseconds."""

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class RowSerializer(serializers.ModelSerializer[AnyModel]):
    """Shows rows, and writes none. What each field reads and how it looks is found out once, not per row."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: UtcTimeField,
    }

    def to_representation(self, instance: AnyModel) -> dict[str, Any]:
        shown = {}
        for name, read, show in self._columns:
            value = read(instance)
            shown[name] = None if value is None else show(value)
        return shown

    @cached_property
    def _columns(self) -> list[Column]:
        return [_column(name, field) for name, field in self.fields.items() if not field.write_only]


def _column(name: str, field: Any) -> Column:
    read = _itself if field.source == "*" else attrgetter(".".join(field.source_attrs))
    return name, read, str if type(field) is serializers.UUIDField else field.to_representation


def _itself(row: Any) -> Any:
    return row
