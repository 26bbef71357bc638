"""Filters of streams, segments and gaps. Ranges of time also bound the ids, which prunes partitions."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet

from apps.core.api.filters import ManyIdsFilter, RangedFilterSet, one_or_many
from apps.streams.coverage import LONGEST_SEGMENT, partition_ceiling, partition_floor
from apps.streams.life import Life
from apps.streams.life_log import LogQuery, entries_for
from apps.streams.models import Gap, Mode, Segment, SegmentState, Source, SourceStatus, Stream, StreamLog
from omma_engine.types import GapCause


class SourceFilter(django_filters.FilterSet):
    camera = django_filters.UUIDFilter(field_name="camera_id")
    status = django_filters.ChoiceFilter(choices=SourceStatus.choices)
    life = django_filters.MultipleChoiceFilter(choices=Life.choices)

    class Meta:
        model = Source
        fields = ["camera", "status", "life"]


class StreamLogFilter(RangedFilterSet):
    """`start` is inclusive, `end` exclusive. An analytic's index also finds what is about the stream."""

    camera = ManyIdsFilter(field_name="camera_id")
    source = ManyIdsFilter(field_name="source_id")
    stream = ManyIdsFilter(method="of_streams")
    status = django_filters.MultipleChoiceFilter(choices=Life.choices)
    analytic_index = django_filters.NumberFilter(method="of_analytic", min_value=0, max_value=32767)
    start = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    end = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = StreamLog
        fields = ["camera", "source", "stream", "status", "analytic_index", "start", "end"]

    def of_streams(self, rows: QuerySet[StreamLog], name: str, value: list[UUID]) -> QuerySet[StreamLog]:
        return entries_for(rows, LogQuery(stream_ids=value))

    def of_analytic(self, rows: QuerySet[StreamLog], name: str, value: Decimal) -> QuerySet[StreamLog]:
        return entries_for(rows, LogQuery(analytic_indexes=[int(value)]))


class StreamFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    source = django_filters.UUIDFilter(field_name="source_id")
    mode = django_filters.ChoiceFilter(choices=Mode.choices)

    class Meta:
        model = Stream
        fields = ["account", "camera", "source", "mode", "name"]


class OfStreamsFilterSet(RangedFilterSet):
    """What belongs to streams; cameras are looked up as their streams, which the indexes know."""

    stream = ManyIdsFilter(field_name="stream_id")
    camera = ManyIdsFilter(method="of_cameras")

    def of_cameras(self, rows: QuerySet[Any], name: str, value: list[UUID]) -> QuerySet[Any]:
        streams = Stream.objects.filter(camera_id__in=value).values_list("pk", flat=True)
        return rows.filter(**one_or_many("stream_id", list(streams)))


class SegmentFilter(OfStreamsFilterSet):
    """`start` and `end` select what overlaps `[start, end)`."""

    state = django_filters.ChoiceFilter(choices=SegmentState.choices)
    start = django_filters.IsoDateTimeFilter(method="ends_after")
    end = django_filters.IsoDateTimeFilter(method="starts_before")

    class Meta:
        model = Segment
        fields = ["stream", "camera", "state", "start", "end"]

    def ends_after(self, rows: QuerySet[Segment], name: str, value: datetime) -> QuerySet[Segment]:
        earliest = value - LONGEST_SEGMENT  # the end has no index
        return rows.filter(end__gt=value, start__gte=earliest, id__gte=partition_floor(earliest))

    def starts_before(self, rows: QuerySet[Segment], name: str, value: datetime) -> QuerySet[Segment]:
        return rows.filter(start__lt=value, id__lt=partition_ceiling(value))


class GapFilter(OfStreamsFilterSet):
    """`start` and `end` select what overlaps `[start, end)`; an open gap goes on."""

    cause = django_filters.MultipleChoiceFilter(choices=[(one.value, one.value) for one in GapCause])
    start = django_filters.IsoDateTimeFilter(method="ends_after")
    end = django_filters.IsoDateTimeFilter(method="starts_before")

    class Meta:
        model = Gap
        fields = ["stream", "camera", "cause", "start", "end"]

    def ends_after(self, rows: QuerySet[Gap], name: str, value: datetime) -> QuerySet[Gap]:
        return rows.filter(Q(end__gt=value) | Q(end__isnull=True))

    def starts_before(self, rows: QuerySet[Gap], name: str, value: datetime) -> QuerySet[Gap]:
        return rows.filter(start__lt=value)
