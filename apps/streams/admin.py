"""Streams for operators. What children write is shown; what people decide goes through the services."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.accounts.access import actor_of
from apps.streams import (
    life_services,
    services,
    volume_admin,  # noqa: F401 - registers volumes
)
from apps.streams.models import Gap, Installation, Mode, Segment, Source, Stream, StreamLog


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class StreamLogInline(admin.TabularInline[StreamLog, Source]):
    model = StreamLog
    fields = ("at", "status", "code", "detail", "actor_name", "handler", "last_frame_at", "analytic_index")
    readonly_fields = fields
    ordering = ["-at"]
    extra = 0
    max_num = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[StreamLog]:
        newest = StreamLog.objects.order_by("-id").values("id")[:200]
        return super().get_queryset(request).filter(id__in=newest)


_SHOWN_OF_SOURCE = (
    "life", "life_code", "life_detail", "life_at", "paused_until", "restart_attempt", "restarted_at",
    "restart_due_at", "restart_serial", "status", "status_code", "status_detail", "status_at", "handler",
    "last_frame_at",
)  # fmt: skip


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin[Source]):
    list_display = [
        "__str__",
        "account",
        "life",
        "life_detail",
        "status",
        "status_code",
        "status_at",
        "handler",
    ]
    list_filter = ["life", "status", "account"]
    list_select_related = ["camera", "account"]
    search_fields = ["camera__name", "status_detail"]
    fields = [
        "account",
        "camera",
        "name",
        "options",
        "labels",
        "restart_limit",
        "restart_delay_s",
        *_SHOWN_OF_SOURCE,
    ]
    readonly_fields = ["account", "camera", "name", *_SHOWN_OF_SOURCE]
    inlines = [StreamLogInline]
    actions = ["restart", "stop", "pause", "resume"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Write what was changed and nothing else: the row moves on while the form is open."""
        own = [name for name in form.changed_data if name in {"options", "labels"}]
        if own:
            obj.save(update_fields=[*own, "updated_at"])
        if {"restart_limit", "restart_delay_s"} & set(form.changed_data):
            policy = life_services.RestartPolicy(obj.restart_limit, obj.restart_delay_s)
            life_services.set_restart_policy(actor=actor_of(request), source=obj, policy=policy)

    @admin.action(description="Restart")
    def restart(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            services.restart_source(actor=actor_of(request), source=source)
        self.message_user(request, f"{len(queryset)} restarted.", messages.SUCCESS)

    @admin.action(description="Stop")
    def stop(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._change(request, queryset, life_services.stop_source)

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._change(request, queryset, life_services.pause_source)

    @admin.action(description="Resume")
    def resume(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._change(request, queryset, life_services.resume_source)

    def _change(self, request: HttpRequest, queryset: QuerySet[Source], verb: Callable[..., bool]) -> None:
        actor = actor_of(request)
        changed = sum(verb(actor=actor, source=source) for source in queryset.order_by("pk"))
        self.message_user(request, f"{changed} changed.", messages.SUCCESS)


@admin.register(Stream)
class StreamAdmin(admin.ModelAdmin[Stream]):
    list_display = ["__str__", "account", "mode", "codec", "width", "height", "frame_rate", "has_audio"]
    list_filter = ["mode", "codec", "account"]
    list_select_related = ["camera", "account"]
    search_fields = ["camera__name", "name"]
    fields = [
        "account",
        "camera",
        "source",
        "name",
        "mode",
        "pre_roll_s",
        "post_roll_s",
        "codec",
        "width",
        "height",
        "frame_rate",
        "has_audio",
    ]
    readonly_fields = [
        "account",
        "camera",
        "source",
        "name",
        "codec",
        "width",
        "height",
        "frame_rate",
        "has_audio",
    ]
    actions = ["restart", "record_events", "record_always", "record_never"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Stream, form: Any, change: bool) -> None:
        data = form.cleaned_data
        services.update_stream(
            actor=actor_of(request),
            stream=obj,
            mode=data["mode"],
            pre_roll_s=data["pre_roll_s"],
            post_roll_s=data["post_roll_s"],
        )

    @admin.action(description="Restart")
    def restart(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        for stream in queryset.select_related("source"):
            services.restart_stream(actor=actor_of(request), stream=stream)
        self.message_user(request, f"{len(queryset)} restarted.", messages.SUCCESS)

    @admin.action(description="Record on events")
    def record_events(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        self._set_mode(request, queryset, Mode.EVENTS)

    @admin.action(description="Record all the time")
    def record_always(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        self._set_mode(request, queryset, Mode.CONTINUOUS)

    @admin.action(description="Record never")
    def record_never(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        self._set_mode(request, queryset, Mode.OFF)

    def _set_mode(self, request: HttpRequest, queryset: QuerySet[Stream], mode: Mode) -> None:
        for stream in queryset:
            services.set_mode(actor=actor_of(request), stream=stream, mode=mode)
        self.message_user(request, f"{len(queryset)} changed.", messages.SUCCESS)


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = [
        "start",
        "stream",
        "state",
        "is_transient",
        "is_damaged",
        "damaged_pictures",
        "clock",
        "durable_bytes",
        "path",
    ]
    list_filter = ["state", "is_transient", "is_damaged", "clock", "volume"]
    list_select_related = ["stream__camera"]
    search_fields = ["path", "stream__camera__name"]
    ordering = ["-start"]
    show_full_result_count = False


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ["start", "end", "stream", "cause", "detail"]
    list_filter = ["cause"]
    list_select_related = ["stream__camera"]
    search_fields = ["detail", "stream__camera__name"]
    ordering = ["-start"]
    show_full_result_count = False


@admin.register(StreamLog)
class StreamLogAdmin(ReadOnlyAdmin):
    list_display = ["at", "source", "status", "code", "detail", "actor_name", "handler", "analytic_index"]
    list_filter = ["status", "code"]
    list_select_related = ["source__camera"]
    search_fields = ["detail", "source__camera__name"]
    ordering = ["-at"]
    show_full_result_count = False


@admin.register(Installation)
class InstallationAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_at"]
