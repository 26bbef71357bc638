"""Recordings and retention for operators."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.access import Actor, actor_of
from apps.core.admin_base import ReadOnlyAdmin
from apps.core.exceptions import OmmaError
from apps.recordings import policies, services
from apps.recordings.exports.services import delete_export
from apps.recordings.models import (
    ChangedHour,
    Export,
    Recording,
    RetentionPolicy,
    SeenHour,
    StoredHour,
    Video,
)
from apps.recordings.videos.services import delete_video

_FACTS = (
    "id", "account", "camera", "stream", "number", "state", "wanted_start", "start", "end",
    "until", "trigger_at", "best_at", "cause_kind", "cause_id", "cause_name", "labels", "confidence",
    "is_held", "thumbnail", "continues", "created_at", "updated_at",
)  # fmt: skip


@admin.register(Recording)
class RecordingAdmin(admin.ModelAdmin[Recording]):
    list_display = [
        "number", "name", "camera", "state", "start", "end", "cause_kind", "cause_name", "labels", "is_held",
    ]  # fmt: skip
    list_display_links = ["number", "name"]
    list_filter = ["state", "is_held", "cause_kind", "account", "camera"]
    search_fields = ["name", "cause_name", "camera__name", "id"]
    date_hierarchy = "start"
    list_select_related = ["camera"]
    ordering = ["-start"]
    actions = ["hold", "release", "stop", "delete_rows"]
    fields = [*_FACTS, "name"]
    readonly_fields = list(_FACTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a recording needs a stream that records: by the pages or the API

    def has_delete_permission(self, request: HttpRequest, obj: Recording | None = None) -> bool:
        return False  # by the action, which asks whether it is held and takes the picture along

    def save_model(self, request: HttpRequest, obj: Recording, form: object, change: bool) -> None:
        services.rename_recording(actor=actor_of(request), recording=obj, name=obj.name)

    @admin.action(description="Hold selected recordings")
    def hold(self, request: HttpRequest, rows: QuerySet[Recording]) -> None:
        self._each(request, rows, _hold, "held")

    @admin.action(description="Release selected recordings")
    def release(self, request: HttpRequest, rows: QuerySet[Recording]) -> None:
        self._each(request, rows, _release, "released")

    @admin.action(description="Stop selected recordings")
    def stop(self, request: HttpRequest, rows: QuerySet[Recording]) -> None:
        self._each(request, rows, _stop, "stopped")

    @admin.action(description="Delete selected recordings")
    def delete_rows(self, request: HttpRequest, rows: QuerySet[Recording]) -> None:
        self._each(request, rows, _delete, "deleted")

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[Recording],
        change: Callable[[Actor, Recording], None],
        done: str,
    ) -> None:
        actor, count = actor_of(request), 0
        for row in rows.order_by("id"):
            try:
                change(actor, row)
            except OmmaError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                count += 1
        self.message_user(request, f"{count} {done}", messages.SUCCESS if count else messages.WARNING)


class RetentionPolicyForm(forms.ModelForm[RetentionPolicy]):
    """A policy; the services' own checks speak, at the field that they name."""

    class Meta:
        model = RetentionPolicy
        fields = ["account", "camera", "stream", *policies.FIELDS]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            scope = (
                {name: getattr(self.instance, name) for name in ("account", "camera", "stream")}
                if (self.instance.pk and not self.instance._state.adding)
                else {}
            )
            try:
                policies.check(RetentionPolicy(**scope, **data))
            except OmmaError as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)
        return data


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(admin.ModelAdmin[RetentionPolicy]):
    form = RetentionPolicyForm
    list_display = [
        "account", "camera", "stream", "max_age_hours", "motion_age_hours", "event_age_hours", "max_bytes",
        "archive_after_hours", "updated_at",
    ]  # fmt: skip
    list_filter = ["account"]
    search_fields = ["camera__name", "account__name"]
    list_select_related = ["account", "camera", "stream__camera"]

    def get_readonly_fields(self, request: HttpRequest, obj: RetentionPolicy | None = None) -> list[str]:
        return ["account", "camera", "stream"] if obj else []

    def save_model(self, request: HttpRequest, obj: RetentionPolicy, form: object, change: bool) -> None:
        limits = {name: getattr(obj, name) for name in policies.FIELDS}
        if change:
            policies.update_policy(actor=actor_of(request), policy=obj, **limits)
            return
        row = policies.create_policy(
            actor=actor_of(request), account=obj.account, camera=obj.camera, stream=obj.stream, **limits
        )
        obj.pk = row.pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: RetentionPolicy) -> None:
        policies.delete_policy(actor=actor_of(request), policy=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RetentionPolicy]) -> None:
        for policy in queryset:
            policies.delete_policy(actor=actor_of(request), policy=policy)


@admin.register(Export)
class ExportAdmin(admin.ModelAdmin[Export]):
    list_display = [
        "created_at", "name", "account", "state", "start", "end", "file_count", "size_bytes", "damaged_count",
        "gap_s", "error", "expires_at",
    ]  # fmt: skip
    list_filter = ["state", "account"]
    search_fields = ["name", "created_by_name", "id"]
    date_hierarchy = "created_at"
    list_select_related = ["account"]
    ordering = ["-created_at"]
    actions = ["delete_rows"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # by the pages or the API, which know what may be exported

    def has_change_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        if obj is not None:
            return False  # the list has an action; a single one is only looked at
        return super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        return False  # by the action, which takes the file along

    @admin.action(description="Delete selected exports with their files")
    def delete_rows(self, request: HttpRequest, rows: QuerySet[Export]) -> None:
        actor, count = actor_of(request), 0
        for row in rows.order_by("id"):
            try:
                delete_export(actor=actor, export=row)
            except OmmaError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                count += 1
        self.message_user(request, f"{count} deleted", messages.SUCCESS if count else messages.WARNING)


@admin.register(StoredHour)
class StoredHourAdmin(ReadOnlyAdmin[StoredHour]):
    list_display = ["hour", "stream_id", "volume_id", "segments", "stored_bytes", "recorded", "looked_at"]
    search_fields = ["stream_id", "volume_id"]
    date_hierarchy = "hour"
    ordering = ["-hour"]
    show_full_result_count = False


@admin.register(SeenHour)
class SeenHourAdmin(ReadOnlyAdmin[SeenHour]):
    list_display = ["hour", "stream_id", "label", "sightings", "minutes"]
    search_fields = ["stream_id", "label"]
    date_hierarchy = "hour"
    ordering = ["-hour"]
    show_full_result_count = False


@admin.register(ChangedHour)
class ChangedHourAdmin(ReadOnlyAdmin[ChangedHour]):
    list_display = ["hour", "kind", "stream_id"]
    list_filter = ["kind"]
    search_fields = ["stream_id"]
    ordering = ["hour"]


def _hold(actor: Actor, row: Recording) -> None:
    services.hold_recording(actor=actor, recording=row)


def _release(actor: Actor, row: Recording) -> None:
    services.release_recording(actor=actor, recording=row)


def _stop(actor: Actor, row: Recording) -> None:
    services.stop_recording(actor=actor, recording=row)


def _delete(actor: Actor, row: Recording) -> None:
    services.delete_recording(actor=actor, recording=row)


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin[Video]):
    list_display = ["name", "state", "camera", "start", "size_bytes", "error", "created_at"]
    list_filter = ["state", "account"]
    list_select_related = ["camera"]
    search_fields = ["name", "error"]
    ordering = ["-created_at"]
    actions = ["delete"]

    @admin.action(description="Delete with the camera that it became")
    def delete(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        for video in queryset:
            try:
                delete_video(actor=actor_of(request), video=video)
            except OmmaError as exc:
                messages.error(request, f"{video}: {exc.message}")
