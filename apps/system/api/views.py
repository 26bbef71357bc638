"""Tasks, periodic jobs and the audit trail."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.access import Action
from apps.accounts.api.viewsets import AccessReadOnlyViewSet, ActorMixin
from apps.core.models import AuditEntry, PeriodicJob, Task
from apps.system import selectors, services
from apps.system.api.filters import AuditEntryFilter, TaskFilter
from apps.system.api.serializers import (
    AuditEntryReadSerializer,
    JobReadSerializer,
    JobRunSerializer,
    JobWriteSerializer,
    TaskReadSerializer,
)

_RUNS_SHOWN = 50


class TaskViewSet(AccessReadOnlyViewSet[Task]):
    """Long jobs with progress."""

    queryset = Task.objects.all()
    read_serializer_class = TaskReadSerializer
    filterset_class = TaskFilter
    ordering_fields = ("created_at", "state", "kind")
    ordering = ("-created_at",)
    http_method_names = ["get", "head", "options", "post"]

    @extend_schema(request=None, responses=TaskReadSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Cancel a task that has not begun."""
        task = services.cancel_task(actor=self.actor, task=self.get_object())
        return Response(TaskReadSerializer(task).data)

    @extend_schema(request=None, responses=TaskReadSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str | None = None) -> Response:
        """Put a failed or cancelled task back."""
        task = services.retry_task(actor=self.actor, task=self.get_object())
        return Response(TaskReadSerializer(task).data)


class AuditEntryViewSet(AccessReadOnlyViewSet[AuditEntry]):
    """Who did what; for administrators, of their accounts."""

    queryset = AuditEntry.objects.all()
    read_action = Action.SEE_SYSTEM
    camera_path = None
    read_serializer_class = AuditEntryReadSerializer
    filterset_class = AuditEntryFilter
    ordering = ("-id",)


_NAME = OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)


@extend_schema_view(
    retrieve=extend_schema(parameters=[_NAME]), partial_update=extend_schema(parameters=[_NAME])
)
class JobViewSet(ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[PeriodicJob]):
    """Periodic jobs. Administrators see them; only a superuser may run, switch or re-schedule them."""

    queryset = PeriodicJob.objects.all()
    serializer_class = JobReadSerializer
    read_serializer_class = JobReadSerializer
    write_serializer_class = JobWriteSerializer
    lookup_field = "name"
    ordering_fields = ("name", "last_run_at", "last_duration_s")
    ordering = ("name",)
    http_method_names = ["get", "head", "options", "post", "patch"]

    def get_queryset(self) -> QuerySet[PeriodicJob]:
        rows = super().get_queryset()
        return rows if selectors.may_see_system(self.actor) else rows.none()

    @extend_schema(request=JobWriteSerializer, responses=JobReadSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Switch a job on or off, or give it another schedule (seconds, or five cron fields in UTC)."""
        body = JobWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job = services.change_job(actor=self.actor, job=self.get_object(), **body.validated_data)
        return Response(JobReadSerializer(job).data)

    @extend_schema(request=None, responses={202: JobRunSerializer}, parameters=[_NAME])
    @action(detail=True, methods=["post"])
    def run(self, request: Request, name: str | None = None) -> Response:
        """Run the job now."""
        run = services.run_job_now(actor=self.actor, job=self.get_object())
        return Response(JobRunSerializer(run).data, status=202)

    @extend_schema(responses=JobRunSerializer(many=True), parameters=[_NAME], filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def runs(self, request: Request, name: str | None = None) -> Response:
        """Return the newest runs."""
        runs = self.get_object().runs.order_by("-slot")[:_RUNS_SHOWN]
        return Response(JobRunSerializer(runs, many=True).data)
