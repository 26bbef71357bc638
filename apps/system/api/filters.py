"""Filters of tasks and of the audit trail."""

import django_filters

from apps.core.models import AuditEntry, Task, TaskState


class TaskFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    kind = django_filters.CharFilter()
    state = django_filters.MultipleChoiceFilter(choices=TaskState.choices)

    class Meta:
        model = Task
        fields = ["account", "camera", "kind", "state"]


class AuditEntryFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    actor = django_filters.UUIDFilter(field_name="actor_id")
    action = django_filters.CharFilter()
    subject_kind = django_filters.CharFilter()
    subject = django_filters.UUIDFilter(field_name="subject_id")
    after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEntry
        fields = ["account", "actor", "action", "subject_kind", "subject", "after", "before"]
