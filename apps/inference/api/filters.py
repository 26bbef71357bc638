"""Filters of analytics, tracks, events and minutes; a bad value is a 400 that names the field."""

from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet

from apps.core.api.filters import ManyIdsFilter, ManyWordsFilter, PartFilter, RangedFilterSet, one_or_many
from apps.inference.models import (
    Analytic,
    AnalyticKind,
    AnalyticStatus,
    Event,
    EventKind,
    MinuteSummary,
    Track,
)
from apps.streams.coverage import partition_ceiling, partition_floor
from apps.streams.models import Stream


class BeganFilterSet(RangedFilterSet):
    """Rows that began in `[start, end)`; the range over keys lets the database pass over other weeks."""

    start = django_filters.IsoDateTimeFilter(method="began_at_or_after")
    end = django_filters.IsoDateTimeFilter(method="began_before")

    def began_at_or_after(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        return rows.filter(start__gte=value, pk__gte=partition_floor(value))

    def began_before(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        return rows.filter(start__lt=value, pk__lt=partition_ceiling(value))


class AnalyticFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    model = django_filters.UUIDFilter(field_name="model_version__model_id")
    status = django_filters.ChoiceFilter(choices=AnalyticStatus.choices)
    kind = django_filters.ChoiceFilter(choices=AnalyticKind.choices)
    label = django_filters.CharFilter(field_name="label", max_length=128)

    class Meta:
        model = Analytic
        fields = ["account", "camera", "stream", "model", "is_enabled", "status", "kind", "label"]


class TrackFilter(BeganFilterSet):
    """`camera`, `stream` and `label` may be given several times.

    Sizes are shares of the picture: `min_size` of the largest box of a track, `max_size` too.
    """

    account = django_filters.UUIDFilter(field_name="account_id")
    camera = ManyIdsFilter(field_name="camera_id")
    stream = ManyIdsFilter(field_name="stream_id")
    analytic = django_filters.UUIDFilter(field_name="analytic_id")
    analysis = django_filters.UUIDFilter(field_name="analysis_id")
    label = ManyWordsFilter(field_name="label")
    min_confidence = PartFilter(field_name="confidence", lookup_expr="gte")
    max_confidence = PartFilter(field_name="confidence", lookup_expr="lte")
    number = django_filters.NumberFilter(field_name="number", min_value=0, max_value=(1 << 63) - 1)
    zone = django_filters.CharFilter(method="in_zone", max_length=64)
    min_size = PartFilter(field_name="size_max", lookup_expr="gte")
    max_size = PartFilter(field_name="size_max", lookup_expr="lte")
    min_speed_kmh = django_filters.NumberFilter(
        field_name="top_speed_kmh", lookup_expr="gte", min_value=0, max_value=10_000
    )

    def in_zone(self, rows: QuerySet[Track], _name: str, value: str) -> QuerySet[Track]:
        """Select by a region's name; naming what the index leaves out lets the database use it."""
        return rows.filter(zones__contains=[value]).exclude(zones=[])

    class Meta:
        model = Track
        fields = ["account", "camera", "stream", "analytic", "label", "is_live", "number"]


class EventFilter(BeganFilterSet):
    """`camera`, `stream` and `label` may be given several times; `cause` raised it, such as a rule."""

    account = django_filters.UUIDFilter(field_name="account_id")
    camera = ManyIdsFilter(field_name="camera_id")
    stream = ManyIdsFilter(field_name="stream_id")
    kind = django_filters.ChoiceFilter(choices=EventKind.choices)
    cause = django_filters.UUIDFilter(field_name="cause_id")
    track = django_filters.UUIDFilter(field_name="track_id")
    analysis = django_filters.UUIDFilter(field_name="analysis_id")
    label = ManyWordsFilter(field_name="label")
    min_confidence = PartFilter(field_name="confidence", lookup_expr="gte")
    max_confidence = PartFilter(field_name="confidence", lookup_expr="lte")
    is_going_on = django_filters.BooleanFilter(field_name="end", lookup_expr="isnull")

    class Meta:
        model = Event
        fields = ["account", "camera", "stream", "kind", "label"]


class MinuteFilter(RangedFilterSet):
    camera = ManyIdsFilter(method="of_cameras")
    stream = ManyIdsFilter(field_name="stream_id")
    start = django_filters.IsoDateTimeFilter(field_name="minute", lookup_expr="gte")
    end = django_filters.IsoDateTimeFilter(field_name="minute", lookup_expr="lt")

    class Meta:
        model = MinuteSummary
        fields = ["camera", "stream"]

    def of_cameras(
        self, rows: QuerySet[MinuteSummary], _name: str, value: list[UUID]
    ) -> QuerySet[MinuteSummary]:
        """Select by stream, which the index knows."""
        streams = Stream.objects.filter(camera_id__in=value).values_list("pk", flat=True)
        return rows.filter(**one_or_many("stream_id", list(streams)), camera_id__in=value)
