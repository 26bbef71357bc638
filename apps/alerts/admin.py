"""Targets and deliveries for operators. What is secret is shown nowhere."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.access import actor_of
from apps.alerts import resending, services
from apps.alerts.models import Delivery, DeliveryState, RuleTarget, Target, TargetState


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Target)
class TargetAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "kind", "is_enabled", "place", "owner_kind", "waiting", "failures"]
    list_filter = ["is_enabled", "kind", "owner_kind", "account"]
    list_select_related = ["account", "state"]
    search_fields = ["name", "place"]
    filter_horizontal = ["cameras"]
    actions = ["switch_on", "switch_off", "send_dead_again"]

    @admin.display(ordering="state__pending")
    def waiting(self, target: Target) -> int:
        return target.state.pending

    @admin.display(ordering="state__failures")
    def failures(self, target: Target) -> int:
        return target.state.failures

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Target]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Target]) -> None:
        self._switch(request, queryset, is_enabled=False)

    @admin.action(description="Send dead deliveries again")
    def send_dead_again(self, request: HttpRequest, queryset: QuerySet[Target]) -> None:
        actor = actor_of(request)
        count = sum(resending.resend_all(actor=actor, target=target) for target in queryset.order_by("pk"))
        self.message_user(request, f"{count} sent again.", messages.SUCCESS)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Target], *, is_enabled: bool) -> None:
        rows = list(queryset.filter(owner_kind="").order_by("pk"))
        for target in rows:
            services.update_target(actor=actor_of(request), target=target, is_enabled=is_enabled)
        self.message_user(request, f"{len(rows)} changed.", messages.SUCCESS)


@admin.register(TargetState)
class TargetStateAdmin(ReadOnlyAdmin):
    list_display = ["target", "pending", "failures", "next_at", "last_ok_at", "last_failed_at", "last_error"]
    list_filter = ["failures"]
    list_select_related = ["target"]
    search_fields = ["target__name", "last_error"]


@admin.register(RuleTarget)
class RuleTargetAdmin(ReadOnlyAdmin):
    list_display = ["rule", "target"]
    list_filter = ["target"]
    list_select_related = ["rule", "target"]
    search_fields = ["rule__name", "target__name"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "target",
        "kind",
        "count",
        "state",
        "attempts",
        "last_error",
        "delivered_at",
    ]
    list_filter = ["state", "kind", "is_late", "target"]
    list_select_related = ["target"]
    search_fields = ["id", "target__name", "last_error"]
    ordering = ["-created_at"]
    show_full_result_count = False
    actions = ["send_again"]

    @admin.action(description="Send again")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        rows = list(queryset.filter(state=DeliveryState.DEAD).order_by("pk"))
        for delivery in rows:
            resending.resend(actor=actor_of(request), delivery=delivery)
        self.message_user(request, f"{len(rows)} sent again.", messages.SUCCESS)
