"""Filters of recordings; a bad value is a 400 that names the field."""

from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet

from apps.recordings.models import CauseKind, Recording, RecordingState


class RecordingFilter(django_filters.FilterSet):
    """`since` and `until` select what overlaps; `label` is one that was seen; `search` looks into names."""

    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    state = django_filters.ChoiceFilter(choices=RecordingState.choices)
    since = django_filters.IsoDateTimeFilter(field_name="end", lookup_expr="gt")
    until = django_filters.IsoDateTimeFilter(field_name="start", lookup_expr="lt")
    label = django_filters.CharFilter(method="with_label")
    min_confidence = django_filters.NumberFilter(field_name="confidence", lookup_expr="gte")
    cause_kind = django_filters.ChoiceFilter(choices=CauseKind.choices)
    cause = django_filters.UUIDFilter(field_name="cause_id")
    rule = django_filters.UUIDFilter(method="of_rule")
    held = django_filters.BooleanFilter(field_name="is_held")
    number = django_filters.NumberFilter(field_name="number")
    search = django_filters.CharFilter(method="with_text")

    class Meta:
        model = Recording
        fields = ["account", "camera", "stream", "state", "held", "number"]

    def with_label(self, rows: QuerySet[Recording], name: str, value: str) -> QuerySet[Recording]:
        return rows.filter(labels__contains=[value.strip().lower()])

    def of_rule(self, rows: QuerySet[Recording], name: str, value: UUID) -> QuerySet[Recording]:
        return rows.filter(cause_kind=CauseKind.RULE, cause_id=value)

    def with_text(self, rows: QuerySet[Recording], name: str, value: str) -> QuerySet[Recording]:
        found = Q(name__icontains=value) | Q(cause_name__icontains=value) | Q(camera__name__icontains=value)
        return rows.filter(found)
