"""Analyses over HTTP: begin one, see how far it is, fetch what it found, cancel, delete."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import django_filters
from django.db import connection
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet
from apps.catalog.models import ModelVersion
from apps.core.exceptions import InvalidInputError
from apps.core.models import TaskState
from apps.core.times import to_us
from apps.inference.analyses import results, services
from apps.inference.analyses.models import Analysis, AnalysisMode
from apps.inference.analyses.progress import progress_of
from apps.inference.models import Analytic
from apps.streams.models import Stream

LONGEST_WAIT_S = 20
_LOOK_S = 0.25


class AnalysisReadSerializer(serializers.ModelSerializer[Analysis]):
    """An analysis and how far it is. `speed` is in seconds of footage a second, `left_s` what is left."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    state = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    left_s = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    analytics = serializers.SerializerMethodField()
    result_url = serializers.SerializerMethodField()

    class Meta:
        model = Analysis
        fields = [
            "id", "account", "camera", "stream", "name", "mode", "start", "end", "state", "progress",
            "speed", "left_s", "footage_s", "error", "analytics", "result_url", "created_at", "updated_at",
        ]  # fmt: skip

    def get_state(self, row: Analysis) -> str:
        return progress_of(row).state

    def get_progress(self, row: Analysis) -> float:
        return progress_of(row).share

    def get_left_s(self, row: Analysis) -> float | None:
        return progress_of(row).left_s

    def get_error(self, row: Analysis) -> str:
        return progress_of(row).error

    def get_analytics(self, row: Analysis) -> list[dict[str, str]]:
        ids = [spec["analytic_id"] for spec in row.specs]
        return [{"id": each, "name": row.names.get(each, "")} for each in ids]

    def get_result_url(self, row: Analysis) -> str | None:
        is_done = progress_of(row).state == TaskState.DONE
        return reverse("analysis-result", args=[row.pk]) if is_done else None


class ModelChoiceSerializer(serializers.Serializer[Any]):
    """A model and what differs from the defaults, as an analytic has it."""

    model_version = serializers.UUIDField()
    name = serializers.CharField(max_length=120, required=False, default="")
    values = serializers.DictField(required=False, default=dict)


class AnalysisWriteSerializer(serializers.Serializer[Any]):
    """A range of a stream, and what to look for: the stream's own analytics, or models chosen for this."""

    stream = serializers.UUIDField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    mode = serializers.ChoiceField(choices=AnalysisMode.choices, default=AnalysisMode.STORE)
    analytics = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=services.MOST_ANALYTICS
    )
    models = ModelChoiceSerializer(many=True, required=False, default=list)
    wait_s = serializers.IntegerField(min_value=0, max_value=LONGEST_WAIT_S, required=False, default=0)


class AnalyticResultSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    tracks = serializers.DictField(child=serializers.IntegerField())
    matches = serializers.DictField(child=serializers.IntegerField())
    results = serializers.IntegerField()


class AnalysisResultSerializer(serializers.Serializer[Any]):
    """What was found: tracks by label, and matches by rule (the first thousand one by one)."""

    footage_s = serializers.FloatField()
    pictures = serializers.IntegerField()
    unreadable_files = serializers.IntegerField()
    decode_errors = serializers.IntegerField()
    analytics = AnalyticResultSerializer(many=True)
    matches = serializers.ListField(child=serializers.DictField())


class FoundBoxesSerializer(serializers.Serializer[Any]):
    """What one picture shows."""

    at = serializers.DateTimeField()
    at_us = serializers.IntegerField()
    analytic_id = serializers.UUIDField()
    boxes = serializers.ListField(child=serializers.DictField())


class BoxRangeSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class AnalysisFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    camera = django_filters.UUIDFilter(field_name="camera_id")
    stream = django_filters.UUIDFilter(field_name="stream_id")
    mode = django_filters.ChoiceFilter(choices=AnalysisMode.choices)
    state = django_filters.ChoiceFilter(field_name="task__state", choices=TaskState.choices)
    start = django_filters.IsoDateTimeFilter(field_name="end", lookup_expr="gt")
    end = django_filters.IsoDateTimeFilter(field_name="start", lookup_expr="lt")

    class Meta:
        model = Analysis
        fields = ["account", "camera", "stream", "mode"]


class AnalysisViewSet(AccessModelViewSet[Analysis]):
    """Analytics over footage that is already there, as fast as the machine goes."""

    queryset = Analysis.objects.select_related("task")
    read_action = Action.PLAYBACK
    write_action = Action.REVIEW
    read_serializer_class = AnalysisReadSerializer
    write_serializer_class = AnalysisWriteSerializer
    filterset_class = AnalysisFilter
    ordering_fields = ("created_at", "start")
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post", "delete"]

    def create_row(self, data: Mapping[str, Any]) -> Analysis:
        stream = visible(self.actor, Action.PLAYBACK, Stream.objects.all()).filter(pk=data["stream"]).first()
        if stream is None:
            raise InvalidInputError("There is no such stream.", field="stream")
        wanted = services.NewAnalysis(
            stream=stream,
            start=data["start"],
            end=data["end"],
            analytics=[*self._saved(stream, data["analytics"]), *self._drafts(stream, data["models"])],
            name=data["name"],
            mode=AnalysisMode(data["mode"]),
        )
        analysis = services.start_analysis(actor=self.actor, wanted=wanted)
        _wait(analysis, data["wait_s"])
        return analysis

    def delete_row(self, row: Analysis) -> None:
        services.delete_analysis(actor=self.actor, analysis=row)

    @extend_schema(request=None, responses=AnalysisReadSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End an analysis that is not over; what it had found is thrown away."""
        row = services.cancel_analysis(actor=self.actor, analysis=self.get_for(self.write_action))
        return Response(self.read(row))

    @extend_schema(responses=AnalysisResultSerializer)
    @action(detail=True)
    def result(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return what was found, once it is done."""
        return Response(results.result_of(self.get_object()))

    @extend_schema(
        responses=FoundBoxesSerializer(many=True),
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, required=True),
            OpenApiParameter("end", OpenApiTypes.DATETIME, required=True),
        ],
        filters=False,
    )
    @action(detail=True, pagination_class=None, filter_backends=[])
    def boxes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return what each picture of a range shows, to be drawn over the player."""
        analysis = self.get_object()
        asked = BoxRangeSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        start, end = asked.validated_data["start"], asked.validated_data["end"]
        found = results.boxes_of(analysis, start_us=to_us(start), end_us=to_us(end))
        return Response(found, status=status.HTTP_200_OK)

    def _saved(self, stream: Stream, ids: list[UUID]) -> list[Analytic]:
        rows = visible(self.actor, Action.VIEW, Analytic.objects.filter(stream=stream, pk__in=ids))
        found = list(rows.select_related("model_version__model", "stream"))
        if len(found) != len(set(ids)):
            raise InvalidInputError("There is no such analytic on this stream.", field="analytics")
        return found

    def _drafts(self, stream: Stream, choices: list[dict[str, Any]]) -> list[Analytic]:
        versions = ModelVersion.objects.select_related("model")
        shown = visible(self.actor, Action.VIEW, versions, camera_path=None, account_path="model__account_id")
        known = {row.pk: row for row in shown.filter(pk__in=[each["model_version"] for each in choices])}
        if any(each["model_version"] not in known for each in choices):
            raise InvalidInputError("There is no such model.", field="models")
        return [
            services.draft_analytic(
                stream=stream,
                model_version=known[each["model_version"]],
                name=each["name"],
                values=each["values"],
            )
            for each in choices
        ]


def _wait(analysis: Analysis, wait_s: int) -> None:
    """Wait until it is over, bounded; the database's connection is given back meanwhile."""
    deadline_s = time.monotonic() + wait_s
    while time.monotonic() < deadline_s:
        connection.close()
        time.sleep(_LOOK_S)
        rows = Analysis.objects.filter(pk=analysis.pk, task__state__in=services.UNFINISHED)
        if not rows.exists():
            return
