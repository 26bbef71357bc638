"""Uploads in parts, conversions and trainings over HTTP."""

from collections.abc import Mapping
from typing import IO, Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet, chosen_account
from apps.accounts.selectors import account_for_writing
from apps.catalog import conversions, trainings, uploads
from apps.catalog.api.serializers import ModelReadSerializer
from apps.catalog.api.work_serializers import (
    ConversionReadSerializer,
    ConversionWriteSerializer,
    TargetSerializer,
    TrainingReadSerializer,
    TrainingWriteSerializer,
    UploadReadSerializer,
    UploadWriteSerializer,
)
from apps.catalog.models import ModelConversion, ModelUpload, ModelVersion, Training
from apps.core.api.parsers import BoundedJSONParser
from apps.core.exceptions import InvalidInputError, PayloadTooLargeError


class PartParser(BaseParser):
    """Reads the bytes of one part, and not one more than a part may have."""

    media_type = "application/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data: bytes = stream.read(uploads.MAX_PART_BYTES + 1)
        if len(data) > uploads.MAX_PART_BYTES:
            raise PayloadTooLargeError(f"A part may have at most {uploads.MAX_PART_BYTES >> 20} MB.")
        return data


class UploadViewSet(AccessModelViewSet[ModelUpload]):
    """Files of models and datasets that come in parts: begin, PATCH each part, finish."""

    queryset = ModelUpload.objects.all()
    read_action = Action.MANAGE_MODELS
    write_action = Action.MANAGE_MODELS
    camera_path = None
    read_serializer_class = UploadReadSerializer
    write_serializer_class = UploadWriteSerializer
    filterset_fields = ("account", "kind")
    ordering_fields = ("created_at",)
    ordering = ("-created_at",)

    def get_parsers(self) -> list[BaseParser]:
        is_part = self.request is not None and self.request.method == "PATCH"
        return [PartParser()] if is_part else [BoundedJSONParser()]

    def create_row(self, data: Mapping[str, Any]) -> ModelUpload:
        account = account_for_writing(self.actor, Action.MANAGE_MODELS, chosen_account(data))
        wanted = {name: value for name, value in data.items() if name not in {"account", "labels"}}
        return uploads.begin_upload(
            actor=self.actor,
            wanted=uploads.NewUpload(account=account, labels=tuple(data["labels"]), **wanted),
        )

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True)],
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add the part that begins at `Upload-Offset`, which must be where the file ends so far."""
        row = self.get_for(self.write_action)
        stated = request.headers.get("Upload-Offset", "")
        if not (stated.isascii() and stated.isdecimal() and len(stated) < 18):
            raise InvalidInputError("Upload-Offset: expected a whole number.", field="offset")
        data = request.data if isinstance(request.data, bytes) else b""
        return Response(
            self.read(uploads.append_part(actor=self.actor, upload=row, offset=int(stated), data=data))
        )

    @extend_schema(request=None, responses={201: ModelReadSerializer})
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Check the whole file against its hash, inspect and try it, and make it a model."""
        row = self.get_for(self.write_action)
        version = uploads.finish_upload(actor=self.actor, upload=row)
        return Response(dict(ModelReadSerializer(version.model).data), status=status.HTTP_201_CREATED)

    def delete_row(self, row: ModelUpload) -> None:
        uploads.cancel_upload(actor=self.actor, upload=row)


class ConversionViewSet(AccessModelViewSet[ModelConversion]):
    """Models in other formats, made by a job."""

    queryset = ModelConversion.objects.select_related("task")
    write_action = Action.MANAGE_MODELS
    camera_path = None
    read_serializer_class = ConversionReadSerializer
    write_serializer_class = ConversionWriteSerializer
    filterset_fields = ("account", "version", "target")
    ordering_fields = ("created_at",)
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post", "delete"]

    def create_row(self, data: Mapping[str, Any]) -> ModelConversion:
        versions: QuerySet[ModelVersion] = visible(
            self.actor, Action.VIEW, ModelVersion.objects.select_related("model"), None, "model__account_id"
        )
        version = versions.filter(pk=data["version"]).first()
        if version is None:
            raise InvalidInputError("There is no such version.", field="version")
        wanted = chosen_account(data) or version.model.account_id
        account = account_for_writing(self.actor, Action.MANAGE_MODELS, wanted)
        return conversions.begin_conversion(
            actor=self.actor, account=account, version=version, target=data["target"]
        )

    def delete_row(self, row: ModelConversion) -> None:
        conversions.delete_conversion(actor=self.actor, conversion=row)

    @extend_schema(responses=TargetSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def targets(self, request: Request) -> Response:
        """List every target, and what must be installed for it."""
        return Response(TargetSerializer(conversions.targets(), many=True).data)


class TrainingViewSet(AccessModelViewSet[Training]):
    """Models trained here, made by a job; needs the extra [yolo]."""

    queryset = Training.objects.select_related("task")
    write_action = Action.MANAGE_MODELS
    camera_path = None
    read_serializer_class = TrainingReadSerializer
    write_serializer_class = TrainingWriteSerializer
    filterset_fields = ("account",)
    ordering_fields = ("created_at",)
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post", "delete"]

    def create_row(self, data: Mapping[str, Any]) -> Training:
        rows = visible(self.actor, Action.MANAGE_MODELS, ModelUpload.objects.all(), None)
        upload = rows.filter(pk=data["upload"]).first()
        if upload is None:
            raise InvalidInputError("There is no such upload.", field="upload")
        options = {name: value for name, value in data.items() if name != "upload"}
        return trainings.begin_training(
            actor=self.actor, wanted=trainings.NewTraining(upload=upload, **options)
        )

    def delete_row(self, row: Training) -> None:
        trainings.delete_training(actor=self.actor, training=row)
