"""News, jobs, workers, leases and the audit trail, for operators."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core import audit, jobs, periodic
from apps.core.admin_base import ReadOnlyAdmin
from apps.core.models import (
    AuditEntry,
    Lease,
    Node,
    Outbox,
    OutboxPosition,
    PeriodicJob,
    PeriodicRun,
    Task,
)


def admin_ref(request: HttpRequest) -> audit.ActorRef:
    """Return who works in the admin, for the audit trail."""
    user = request.user
    return audit.ActorRef("user", user.pk, user.get_username(), request.META.get("REMOTE_ADDR"))


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin[Outbox]):
    list_display = ("id", "kind", "subject_kind", "subject_id", "account_id", "created_at")
    list_filter = ("kind", "subject_kind")
    search_fields = ("kind", "subject_id__exact")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(OutboxPosition)
class OutboxPositionAdmin(ReadOnlyAdmin[OutboxPosition]):
    list_display = ("subscriber", "xid", "outbox_id", "failures", "last_error", "updated_at")


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin[Task]):
    list_display = (
        "kind",
        "state",
        "progress",
        "attempts",
        "created_at",
        "started_at",
        "finished_at",
        "error",
    )
    list_filter = ("state", "kind")
    search_fields = ("kind", "unique_key", "error")
    ordering = ("-created_at",)
    actions = ("cancel", "retry")

    @admin.action(description="Cancel those that wait", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        done = [task for task in queryset if jobs.cancel(task)]
        self._say(request, "task.cancelled", done)

    @admin.action(description="Repeat those that failed or were cancelled", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        done = [task for task in queryset if jobs.retry(task)]
        self._say(request, "task.retried", done)

    def _say(self, request: HttpRequest, action: str, tasks: list[Task]) -> None:
        for task in tasks:
            audit.record(
                admin_ref(request),
                action,
                subject_kind="task",
                subject_id=task.pk,
                subject_name=task.kind,
                account_id=task.account_id,
            )
        self.message_user(request, f"{len(tasks)} changed.")


class PeriodicRunInline(admin.TabularInline[PeriodicRun, PeriodicJob]):
    model = PeriodicRun
    fields = readonly_fields = ("slot", "started_at", "finished_at", "result", "message", "is_manual")
    ordering = ("-slot",)
    can_delete = False
    extra = max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicRun]:
        newest = PeriodicRun.objects.order_by("-slot").values("pk")[:200]
        return super().get_queryset(request).filter(pk__in=newest)


@admin.register(PeriodicJob)
class PeriodicJobAdmin(admin.ModelAdmin[PeriodicJob]):
    """Schedule and switch can be changed; the jobs themselves come from the apps."""

    list_display = (
        "name",
        "title",
        "schedule",
        "is_enabled",
        "last_run_at",
        "last_duration_s",
        "last_result",
        "last_message",
    )
    list_editable = ("is_enabled",)
    list_filter = ("is_enabled", "last_result", "queue")
    search_fields = ("name", "title")
    readonly_fields = (
        "name",
        "title",
        "task",
        "queue",
        "last_run_at",
        "last_duration_s",
        "last_result",
        "last_message",
    )
    ordering = ("name",)
    inlines = (PeriodicRunInline,)
    actions = ("run_now",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicJob | None = None) -> bool:
        return False

    @admin.action(description="Run now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[PeriodicJob]) -> None:
        for job in queryset:
            periodic.run_now(job.name)
            audit.record(admin_ref(request), "job.run", subject_kind="job", subject_name=job.name)
        self.message_user(request, f"{len(queryset)} on the way; the results appear here.", messages.SUCCESS)


@admin.register(PeriodicRun)
class PeriodicRunAdmin(ReadOnlyAdmin[PeriodicRun]):
    list_display = ("job", "slot", "started_at", "finished_at", "result", "message", "is_manual")
    list_filter = ("job", "result", "is_manual")
    list_select_related = ("job",)
    ordering = ("-slot",)


@admin.register(Node)
class NodeAdmin(ReadOnlyAdmin[Node]):
    list_display = ("name", "kind", "pid", "slots", "is_draining", "seen_at")
    list_filter = ("kind", "is_draining")
    search_fields = ("name",)


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin[Lease]):
    list_display = ("kind", "object_id", "owner", "epoch", "lease_until", "seen_at")
    list_filter = ("kind", "owner")
    search_fields = ("object_id__exact", "owner")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("at", "actor_name", "action", "subject_kind", "subject_name", "address", "account_id")
    list_filter = ("action", "actor_kind", "subject_kind")
    search_fields = ("actor_name", "action", "subject_name", "subject_id__exact")
    date_hierarchy = "at"
    ordering = ("-id",)
    show_full_result_count = False
