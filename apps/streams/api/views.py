"""Streams, sources, segments and gaps."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet, AccessReadOnlyViewSet
from apps.core.api.keyset import KeysetPagination
from apps.core.exceptions import InvalidInputError
from apps.streams import life_services, services
from apps.streams.api.filters import GapFilter, SegmentFilter, SourceFilter, StreamFilter, StreamLogFilter
from apps.streams.api.serializers import (
    CleanedLogSerializer,
    CleanLogSerializer,
    GapReadSerializer,
    PauseSerializer,
    RangeSerializer,
    RestartPolicySerializer,
    SegmentReadSerializer,
    SourceReadSerializer,
    SpanSerializer,
    StatisticsSerializer,
    StreamLogSerializer,
    StreamReadSerializer,
    StreamWriteSerializer,
)
from apps.streams.life_services import RestartPolicy
from apps.streams.models import Gap, Segment, SegmentState, Source, Stream, StreamLog, Volume
from apps.streams.selectors import statistics_of_stream, timeline_of_stream
from apps.streams.volume_services import choose_volume


class StreamViewSet(AccessModelViewSet[Stream]):
    """Streams: one encoded image sequence each, and what is kept of it."""

    queryset = Stream.objects.select_related("source")
    read_serializer_class = StreamReadSerializer
    write_serializer_class = StreamWriteSerializer
    filterset_class = StreamFilter
    ordering_fields = ("name", "created_at")
    ordering = ("created_at",)
    http_method_names = [*READ_METHODS, "patch", "post"]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().http_method_not_allowed(request, *args, **kwargs)

    def update_row(self, row: Stream, data: Mapping[str, Any]) -> Stream:
        kept = {name: value for name, value in data.items() if name != "volume"}
        with transaction.atomic():
            if "volume" in data:
                row = choose_volume(actor=self.actor, stream=row, volume=self._volume(data["volume"]))
            return services.update_stream(actor=self.actor, stream=row, **kept) if kept else row

    def _volume(self, volume_id: UUID | None) -> Volume | None:
        if volume_id is None:
            return None
        row = Volume.objects.filter(pk=volume_id).first() if self.actor.is_superuser else None
        if row is None:
            raise InvalidInputError("There is no such volume.", field="volume")
        return row

    @extend_schema(request=None, responses=StreamReadSerializer)
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str | None = None) -> Response:
        """Start the stream's source anew."""
        stream = self.get_for(Action.MANAGE_CAMERAS)
        services.restart_stream(actor=self.actor, stream=stream)
        return Response(self.read(stream))

    @extend_schema(request=None, responses=StreamReadSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """Stop the stream until it is resumed; one that is stopped stays so."""
        stream = self.get_for(Action.MANAGE_CAMERAS)
        life_services.stop_source(actor=self.actor, source=stream.source)
        return Response(self.read(stream))

    @extend_schema(request=PauseSerializer, responses=StreamReadSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str | None = None) -> Response:
        """Pause the stream, for a time or until it is resumed; one that is stopped or done stays so."""
        stream = self.get_for(Action.MANAGE_CAMERAS)
        wanted = PauseSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        until = wanted.validated_data.get("until")
        life_services.pause_source(actor=self.actor, source=stream.source, until=until)
        return Response(self.read(stream))

    @extend_schema(request=None, responses=StreamReadSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str | None = None) -> Response:
        """Start the stream if it is stopped, paused, done or has failed; one that runs goes on."""
        stream = self.get_for(Action.MANAGE_CAMERAS)
        life_services.resume_source(actor=self.actor, source=stream.source)
        return Response(self.read(stream))

    @extend_schema(parameters=[RangeSerializer], responses=SpanSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def timeline(self, request: Request, pk: str | None = None) -> Response:
        """Return what is recorded and what is a gap, with its cause, in a range of time."""
        stream = self.get_for(Action.PLAYBACK)
        wanted = RangeSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        spans = timeline_of_stream(stream.id, **wanted.validated_data)
        return Response(SpanSerializer([asdict(span) for span in spans], many=True).data)

    @extend_schema(responses=StatisticsSerializer)
    @action(detail=True, methods=["get"])
    def statistics(self, request: Request, pk: str | None = None) -> Response:
        """Return how much is stored."""
        return Response(StatisticsSerializer(asdict(statistics_of_stream(self.get_for(Action.VIEW)))).data)


class SourceViewSet(AccessReadOnlyViewSet[Source]):
    """Sources: what is opened once, and what it does now."""

    queryset = Source.objects.all()
    read_serializer_class = SourceReadSerializer
    filterset_class = SourceFilter
    ordering_fields = ("name", "status", "created_at")
    ordering = ("created_at",)
    http_method_names = [*READ_METHODS, "put"]

    @extend_schema(responses=StreamLogSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filter_backends=[])
    def log(self, request: Request, pk: str | None = None) -> Response:
        """Return what happened to the source, newest first."""
        entries = self.get_for(Action.VIEW).log.order_by("-at", "-id")
        page: Any = self.paginate_queryset(entries)  # type: ignore[arg-type]  # another model than the view's
        return self.get_paginated_response(StreamLogSerializer(page, many=True).data)

    @extend_schema(request=RestartPolicySerializer, responses=SourceReadSerializer)
    @action(detail=True, methods=["put"], url_path="restart-policy")
    def restart_policy(self, request: Request, pk: str | None = None) -> Response:
        """Say how often a source that failed is started again, and after how long."""
        source = self.get_for(Action.MANAGE_CAMERAS)
        wanted = RestartPolicySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        policy = RestartPolicy(values["restart_limit"], values["restart_delay_s"])
        life_services.set_restart_policy(actor=self.actor, source=source, policy=policy)
        return Response(self.read(source))


class StreamLogViewSet(AccessReadOnlyViewSet[StreamLog]):
    """What became of streams: each change of their lives, newest first."""

    queryset = StreamLog.objects.all()
    read_serializer_class = StreamLogSerializer
    filterset_class = StreamLogFilter
    pagination_class = KeysetPagination
    ordering_fields = ("at",)
    ordering = ("-at",)
    http_method_names = [*READ_METHODS, "post"]

    @extend_schema(request=CleanLogSerializer, responses=CleanedLogSerializer, filters=False)
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def clean(self, request: Request) -> Response:
        """Delete entries before a time, of the cameras that one manages; each source's last entry stays."""
        wanted = CleanLogSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response({"deleted": life_services.clean_log(actor=self.actor, **wanted.validated_data)})


class SegmentViewSet(AccessReadOnlyViewSet[Segment]):
    """Segments: files of about a minute, playable up to their durable bytes."""

    queryset = Segment.objects.exclude(state=SegmentState.GARBAGE).defer("fragments")
    read_action = Action.PLAYBACK
    read_serializer_class = SegmentReadSerializer
    filterset_class = SegmentFilter
    pagination_class = KeysetPagination
    ordering_fields = ("start",)
    ordering = ("-start",)


class GapViewSet(AccessReadOnlyViewSet[Gap]):
    """Gaps: why a stretch of a stream is not on disk."""

    queryset = Gap.objects.all()
    read_action = Action.PLAYBACK
    read_serializer_class = GapReadSerializer
    filterset_class = GapFilter
    pagination_class = KeysetPagination
    ordering_fields = ("start",)
    ordering = ("-start",)
