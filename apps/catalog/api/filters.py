"""Filters of models."""

import django_filters

from apps.catalog.models import Model, ModelTask, Runtime


class ModelFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    task = django_filters.ChoiceFilter(choices=ModelTask.choices)
    runtime = django_filters.ChoiceFilter(
        field_name="versions__runtime", choices=Runtime.choices, distinct=True
    )
    name = django_filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = Model
        fields = ["account", "task", "runtime", "name"]
