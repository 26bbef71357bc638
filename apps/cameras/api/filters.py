"""Filters of cameras; a bad value is a 400 that names the field."""

import django_filters

from apps.cameras.models import Camera, Driver


class CameraFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    name = django_filters.CharFilter(lookup_expr="icontains")
    driver = django_filters.ChoiceFilter(choices=Driver.choices)
    group = django_filters.UUIDFilter(field_name="groups__id", distinct=True)
    status = django_filters.CharFilter(field_name="sources__status", distinct=True)

    class Meta:
        model = Camera
        fields = ["account", "name", "driver", "group", "number", "is_enabled", "is_on_wall"]
