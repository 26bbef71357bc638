"""Analytics and what they found, for operators. Changes go through the services."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.access import actor_of
from apps.core.admin_base import ReadOnlyAdmin
from apps.core.exceptions import OmmaError
from apps.inference import services
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.progress import progress_of
from apps.inference.analyses.services import cancel_analysis, delete_analysis
from apps.inference.models import Analytic, Event, MinuteSummary, Track


class AnalyticForm(forms.ModelForm[Analytic]):
    """Checks as the services do, so that a refusal stands beside its field."""

    class Meta:
        model = Analytic
        fields = ["position" if name == "order" else name for name in services.CHANGEABLE]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        try:
            services.check_values(self.instance, _as_service_takes(self, values))
        except OmmaError as error:
            field = "position" if error.field == "order" else error.field
            self.add_error(field if field in self.fields else None, error.message)
        return values


def _as_service_takes(form: forms.ModelForm[Analytic], names: Iterable[str]) -> dict[str, Any]:
    return {"order" if name == "position" else name: form.cleaned_data[name] for name in names}


@admin.register(Analytic)
class AnalyticAdmin(admin.ModelAdmin[Analytic]):
    list_display = [
        "name",
        "label",
        "camera",
        "stream",
        "number",
        "position",
        "kind",
        "model_version",
        "is_enabled",
        "status",
        "status_detail",
        "analysed_fps",
        "dropped_frames",
    ]
    list_filter = ["is_enabled", "status", "kind", "model_version__model", "account"]
    list_select_related = ["camera", "stream__camera", "model_version__model"]
    search_fields = ["name", "label", "camera__name"]
    form = AnalyticForm
    readonly_fields = [
        "account",
        "camera",
        "stream",
        "number",
        "model_version",
        "status",
        "status_detail",
        "status_at",
        "analysed_fps",
        "dropped_frames",
        "last_result",
    ]
    actions = ["switch_on", "switch_off"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # by the camera's page or the API, where stream and model are chosen together

    def save_model(self, request: HttpRequest, obj: Analytic, form: Any, change: bool) -> None:
        values = _as_service_takes(form, form.changed_data)
        if values:
            services.update_analytic(actor=actor_of(request), analytic=obj, values=values)

    def delete_model(self, request: HttpRequest, obj: Analytic) -> None:
        services.delete_analytic(actor=actor_of(request), analytic=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Analytic]) -> None:
        for analytic in queryset:
            services.delete_analytic(actor=actor_of(request), analytic=analytic)

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Analytic]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Analytic]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Analytic], *, is_enabled: bool) -> None:
        for analytic in queryset:
            values = {"is_enabled": is_enabled}
            services.update_analytic(actor=actor_of(request), analytic=analytic, values=values)


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin[Track]):
    list_display = ["label", "number", "confidence", "start", "end", "is_live", "camera_id", "analysis_id"]
    list_filter = ["label", "is_live"]
    search_fields = ["=label"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = ["kind", "label", "confidence", "start", "end", "cause_name", "camera_id"]
    list_filter = ["kind", "label"]
    search_fields = ["=label", "cause_name"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(MinuteSummary)
class MinuteSummaryAdmin(ReadOnlyAdmin[MinuteSummary]):
    list_display = ["minute", "stream_id", "motion", "labels"]
    ordering = ["-minute"]


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin[Analysis]):
    list_display = ["__str__", "camera", "mode", "start", "end", "state", "progress", "speed", "created_at"]
    list_filter = ["mode", "task__state", "account"]
    list_select_related = ["camera", "task"]
    search_fields = ["name", "camera__name"]
    ordering = ["-created_at"]
    actions = ["cancel", "delete"]

    @admin.display(ordering="task__state")
    def state(self, row: Analysis) -> str:
        return progress_of(row).state

    @admin.display(ordering="task__progress")
    def progress(self, row: Analysis) -> str:
        return f"{progress_of(row).share:.0%}"

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Analysis]) -> None:
        self._do(request, queryset, cancel_analysis)

    @admin.action(description="Delete with what was found")
    def delete(self, request: HttpRequest, queryset: QuerySet[Analysis]) -> None:
        self._do(request, queryset, delete_analysis)

    def _do(self, request: HttpRequest, queryset: QuerySet[Analysis], verb: Callable[..., object]) -> None:
        for analysis in queryset:
            try:
                verb(actor=actor_of(request), analysis=analysis)
            except OmmaError as exc:
                messages.error(request, f"{analysis}: {exc.message}")
