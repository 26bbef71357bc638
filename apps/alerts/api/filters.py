"""Filters of targets and deliveries."""

import django_filters

from apps.alerts.models import Delivery, DeliveryState, NoticeKind, OwnerKind, Target
from apps.core.api.filters import ManyIdsFilter, RangedFilterSet


class TargetFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    owner_kind = django_filters.ChoiceFilter(choices=OwnerKind.choices)
    owner = django_filters.UUIDFilter(field_name="owner_id")
    is_enabled = django_filters.BooleanFilter()
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", max_length=120)

    class Meta:
        model = Target
        fields = ["account", "owner_kind", "owner", "is_enabled"]


class DeliveryFilter(RangedFilterSet):
    """`start` is inclusive, `end` exclusive; both are about when it was made."""

    account = django_filters.UUIDFilter(field_name="account_id")
    target = ManyIdsFilter(field_name="target_id")
    camera = ManyIdsFilter(field_name="camera_id")
    kind = django_filters.MultipleChoiceFilter(choices=NoticeKind.choices)
    state = django_filters.MultipleChoiceFilter(choices=DeliveryState.choices)
    start = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    end = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ["account", "target", "camera", "kind", "state", "start", "end"]
