"""Recordings and retention over HTTP."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import AccessModelViewSet, chosen_account
from apps.accounts.selectors import account_for_writing
from apps.cameras.models import Camera
from apps.core.api.keyset import KeysetPagination
from apps.core.exceptions import InvalidInputError
from apps.core.times import from_us
from apps.recordings import policies, services
from apps.recordings.api.filters import RecordingFilter
from apps.recordings.api.serializers import (
    RecordingChangeSerializer,
    RecordingExtendSerializer,
    RecordingPartSerializer,
    RecordingReadSerializer,
    RecordingStartSerializer,
    RetentionPolicyReadSerializer,
    RetentionPolicyWriteSerializer,
)
from apps.recordings.footage import footage_between
from apps.recordings.models import Recording, RetentionPolicy
from apps.streams.models import Stream
from omma_engine.playback.clip import clip_parts


class RecordingViewSet(AccessModelViewSet[Recording]):
    """Named intervals of streams that somebody or some rule wanted; they play at `video_url`."""

    queryset = Recording.objects.select_related("camera")
    read_action = Action.PLAYBACK
    write_action = Action.RECORD
    read_serializer_class = RecordingReadSerializer
    write_serializer_class = RecordingStartSerializer
    filterset_class = RecordingFilter
    pagination_class = KeysetPagination
    ordering_fields = ("start", "end", "number", "confidence", "name")
    ordering = ("-start",)

    def get_serializer_class(self) -> type[Any]:
        special = {"partial_update": RecordingChangeSerializer, "extend": RecordingExtendSerializer}
        return special.get(self.action) or super().get_serializer_class()

    def create_row(self, data: Mapping[str, Any]) -> Recording:
        stream = self._stream(data["stream"])
        if "start" in data:
            return services.save_range(
                actor=self.actor, stream=stream, start=data["start"], end=data["end"], name=data["name"]
            )
        return services.start_recording(
            actor=self.actor,
            stream=stream,
            name=data["name"],
            pre_roll_s=data.get("pre_roll_s"),
            duration_s=data.get("duration_s"),
        )

    def update_row(self, row: Recording, data: Mapping[str, Any]) -> Recording:
        if "name" not in data:
            return row
        return services.rename_recording(actor=self.actor, recording=row, name=data["name"])

    def delete_row(self, row: Recording) -> None:
        services.delete_recording(actor=self.actor, recording=row)

    @extend_schema(request=None, responses=RecordingReadSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """End a growing recording now."""
        row = self.get_for(Action.RECORD)
        return Response(self.read(services.stop_recording(actor=self.actor, recording=row)))

    @extend_schema(request=RecordingExtendSerializer, responses=RecordingReadSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str | None = None) -> Response:
        """Let a growing recording go on for some seconds from now at least."""
        row = self.get_for(Action.RECORD)
        seconds = self.validated(request)["seconds"]
        return Response(
            self.read(services.extend_recording(actor=self.actor, recording=row, seconds=seconds))
        )

    @extend_schema(request=None, responses=RecordingReadSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str | None = None) -> Response:
        """Keep it from retention."""
        row = self.get_for(Action.RECORD)
        return Response(self.read(services.hold_recording(actor=self.actor, recording=row)))

    @extend_schema(request=None, responses=RecordingReadSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str | None = None) -> Response:
        """Let retention have it again."""
        row = self.get_for(Action.RECORD)
        return Response(self.read(services.release_recording(actor=self.actor, recording=row)))

    @extend_schema(responses=RecordingPartSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def parts(self, request: Request, pk: str | None = None) -> Response:
        """Which stretch of the video shows which time of the day: one part, or more where there are holes."""
        row = self.get_for(Action.PLAYBACK)
        selection = footage_between(row.stream_id, row.start, row.end)
        found = clip_parts(selection) if selection is not None else ()
        values = [
            {"at_s": one.at_us / 1_000_000, "start": from_us(one.start_us), "end": from_us(one.end_us)}
            for one in found
        ]
        return Response(RecordingPartSerializer(values, many=True).data, status=status.HTTP_200_OK)

    def _stream(self, stream_id: UUID) -> Stream:
        row = visible(self.actor, Action.VIEW, Stream.objects.all()).filter(pk=stream_id).first()
        if row is None:
            raise InvalidInputError("There is no such stream.", field="stream")
        return row


class RetentionPolicyViewSet(AccessModelViewSet[RetentionPolicy]):
    """How long footage is kept, per account and per camera; the first limit that is met counts."""

    queryset = RetentionPolicy.objects.all()
    write_action = Action.MANAGE_RETENTION
    read_serializer_class = RetentionPolicyReadSerializer
    write_serializer_class = RetentionPolicyWriteSerializer
    filterset_fields = ("account", "camera", "stream")
    ordering_fields = ("created_at",)
    ordering = ("created_at",)

    def create_row(self, data: Mapping[str, Any]) -> RetentionPolicy:
        stream = self._stream(data["stream"]) if data.get("stream") else None
        camera = self._camera(data["camera"]) if data.get("camera") else None
        owner = stream or camera
        account = (
            owner.account
            if owner
            else account_for_writing(self.actor, Action.MANAGE_RETENTION, chosen_account(data))
        )
        return policies.create_policy(
            actor=self.actor, account=account, camera=camera, stream=stream, **_limits(data)
        )

    def update_row(self, row: RetentionPolicy, data: Mapping[str, Any]) -> RetentionPolicy:
        return policies.update_policy(actor=self.actor, policy=row, **_limits(data))

    def delete_row(self, row: RetentionPolicy) -> None:
        policies.delete_policy(actor=self.actor, policy=row)

    def _camera(self, camera_id: UUID) -> Camera:
        rows = visible(self.actor, Action.VIEW, Camera.objects.select_related("account"), camera_path="id")
        row = rows.filter(pk=camera_id).first()
        if row is None:
            raise InvalidInputError("There is no such camera.", field="camera")
        return row

    def _stream(self, stream_id: UUID) -> Stream:
        rows = visible(self.actor, Action.VIEW, Stream.objects.select_related("account", "camera"))
        row = rows.filter(pk=stream_id).first()
        if row is None:
            raise InvalidInputError("There is no such stream.", field="stream")
        return row


def _limits(data: Mapping[str, Any]) -> dict[str, int | None]:
    return {name: data[name] for name in policies.FIELDS if name in data}
