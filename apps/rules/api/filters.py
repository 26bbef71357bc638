"""Filters of rules and firings; a bad value is a 400 that names the field."""

import django_filters
from django.db.models import Q, QuerySet

from apps.rules.firing import Outcome
from apps.rules.models import Rule, RuleFiring


class RuleFilter(django_filters.FilterSet):
    """`camera` selects the rules that are about it, those about all cameras included."""

    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(method="about_camera")
    label = django_filters.CharFilter(method="with_label")
    is_enabled = django_filters.BooleanFilter()
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Rule
        fields = ["account", "camera", "label", "is_enabled"]

    def about_camera(self, rows: QuerySet[Rule], name: str, value: object) -> QuerySet[Rule]:
        general = Q(all_cameras=True, account__cameras=value)
        return rows.filter(Q(cameras=value) | general).distinct()

    def with_label(self, rows: QuerySet[Rule], name: str, value: str) -> QuerySet[Rule]:
        return rows.filter(labels__contains=[value.strip().lower()])


class RuleFiringFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    rule = django_filters.UUIDFilter(field_name="rule_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    event = django_filters.UUIDFilter(field_name="event_id")
    recording = django_filters.UUIDFilter(field_name="recording_id")
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices)
    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = RuleFiring
        fields = ["account", "rule", "camera", "event", "recording", "outcome"]
