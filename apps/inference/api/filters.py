"""Filters of analytics, tracks, events and minutes; a bad value is a 400 that names the field."""

from datetime import datetime, timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet

from apps.inference.models import Analytic, AnalyticStatus, Event, EventKind, MinuteSummary, Track
from omma_engine.ids import uuid7_floor

_PADDING = timedelta(minutes=10)  # a key may be a little older or newer than the row's own time


class BeganFilterSet(django_filters.FilterSet):
    """Rows that began in `[start, end)`; the range over keys lets the database pass over other weeks."""

    start = django_filters.IsoDateTimeFilter(method="began_at_or_after")
    end = django_filters.IsoDateTimeFilter(method="began_before")

    def began_at_or_after(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        return rows.filter(start__gte=value, pk__gte=uuid7_floor(_milliseconds(value - _PADDING)))

    def began_before(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        return rows.filter(start__lt=value, pk__lt=uuid7_floor(_milliseconds(value + _PADDING)))


class AnalyticFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    model = django_filters.UUIDFilter(field_name="model_version__model_id")
    status = django_filters.ChoiceFilter(choices=AnalyticStatus.choices)

    class Meta:
        model = Analytic
        fields = ["account", "camera", "stream", "model", "is_enabled", "status"]


class TrackFilter(BeganFilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    analytic = django_filters.UUIDFilter(field_name="analytic_id")
    label = django_filters.CharFilter()
    min_confidence = django_filters.NumberFilter(
        field_name="confidence", lookup_expr="gte", min_value=0, max_value=1
    )

    class Meta:
        model = Track
        fields = ["account", "camera", "stream", "analytic", "label", "is_live", "number"]


class EventFilter(BeganFilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    kind = django_filters.ChoiceFilter(choices=EventKind.choices)
    cause = django_filters.UUIDFilter(field_name="cause_id")
    track = django_filters.UUIDFilter(field_name="track_id")
    label = django_filters.CharFilter()
    min_confidence = django_filters.NumberFilter(
        field_name="confidence", lookup_expr="gte", min_value=0, max_value=1
    )
    is_going_on = django_filters.BooleanFilter(field_name="end", lookup_expr="isnull")

    class Meta:
        model = Event
        fields = ["account", "camera", "stream", "kind", "label"]


class MinuteFilter(django_filters.FilterSet):
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    start = django_filters.IsoDateTimeFilter(field_name="minute", lookup_expr="gte")
    end = django_filters.IsoDateTimeFilter(field_name="minute", lookup_expr="lt")

    class Meta:
        model = MinuteSummary
        fields = ["camera", "stream"]


def _milliseconds(at: datetime) -> int:
    return max(0, int(at.timestamp() * 1000))
