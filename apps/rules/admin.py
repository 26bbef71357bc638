"""Rules for operators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.access import actor_of
from apps.core.exceptions import OmmaError
from apps.rules import services
from apps.rules.models import Rule, RuleFiring


class RuleForm(forms.ModelForm[Rule]):
    """Checks as the services do, so that a refusal stands beside its field."""

    class Meta:
        model = Rule
        fields = ["all_cameras", "cameras", *services.CHANGEABLE]

    def clean_condition(self) -> Any:
        """Take an emptied field for no condition; null is none."""
        value = self.cleaned_data["condition"]
        return {} if value is None else value

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        try:
            services.check_values(self.instance.account, values)
        except OmmaError as error:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        return values


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin[Rule]):
    form = RuleForm
    list_display = ["name", "account", "is_enabled", "all_cameras", "labels", "min_confidence", "records"]
    list_filter = ["is_enabled", "all_cameras", "account"]
    search_fields = ["name", "cameras__name"]
    list_select_related = ["account"]
    filter_horizontal = ["cameras"]
    readonly_fields = ["account", "created_at", "updated_at"]
    actions = ["switch_on", "switch_off"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a rule belongs to an account: by the pages or the API

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        if values:
            services.update_rule(actor=actor_of(request), rule=obj, **values)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing more: the service has set the cameras."""

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        services.delete_rule(actor=actor_of(request), rule=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        for rule in queryset.order_by("pk"):
            services.delete_rule(actor=actor_of(request), rule=rule)

    @admin.action(description="Switch selected rules on")
    def switch_on(self, request: HttpRequest, rows: QuerySet[Rule]) -> None:
        self._switch(request, rows, is_enabled=True)

    @admin.action(description="Switch selected rules off")
    def switch_off(self, request: HttpRequest, rows: QuerySet[Rule]) -> None:
        self._switch(request, rows, is_enabled=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[Rule], *, is_enabled: bool) -> None:
        for rule in rows.order_by("pk"):
            services.update_rule(actor=actor_of(request), rule=rule, is_enabled=is_enabled)
        self.message_user(request, f"{len(rows)} switched {'on' if is_enabled else 'off'}")


@admin.register(RuleFiring)
class RuleFiringAdmin(admin.ModelAdmin[RuleFiring]):
    list_display = ["at", "rule", "camera", "outcome", "reason", "recording_id"]
    list_filter = ["outcome", "rule", "camera"]
    search_fields = ["rule__name", "camera__name", "event_id"]
    date_hierarchy = "at"
    list_select_related = ["rule", "camera"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: RuleFiring | None = None) -> bool:
        return False
