"""Models over HTTP."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet, chosen_account
from apps.accounts.selectors import account_for_writing
from apps.catalog import files, services, versions
from apps.catalog.algorithms import algorithms
from apps.catalog.api.filters import ModelFilter
from apps.catalog.api.serializers import (
    AlgorithmsSerializer,
    ModelReadSerializer,
    ModelUploadFormSerializer,
    ModelVersionSerializer,
    ModelVersionWriteSerializer,
    ModelWriteSerializer,
)
from apps.catalog.models import Model, ModelVersion
from apps.core.api.parsers import BoundedJSONParser
from apps.core.exceptions import InvalidInputError, PayloadTooLargeError

_FORM_BYTES = 64 << 10  # what a form may need beside the file


class ModelViewSet(AccessModelViewSet[Model]):
    """AI models: the built-in ones, and those that were uploaded, pulled or trained."""

    queryset = Model.objects.prefetch_related("versions")
    write_action = Action.MANAGE_MODELS
    camera_path = None
    read_serializer_class = ModelReadSerializer
    write_serializer_class = ModelWriteSerializer
    filterset_class = ModelFilter
    ordering_fields = ("name", "created_at")
    ordering = ("name",)
    parser_classes = [BoundedJSONParser, MultiPartParser]

    def get_serializer_class(self) -> type[Any]:
        return ModelUploadFormSerializer if self.action == "create" else super().get_serializer_class()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Upload an ONNX file (multipart): it is inspected and tried in a child before it becomes a model."""
        _refuse_early(request)
        return super().create(request, *args, **kwargs)

    def create_row(self, data: Mapping[str, Any]) -> Model:
        account = account_for_writing(self.actor, Action.MANAGE_MODELS, chosen_account(data))
        wanted = services.NewModel(
            name=data["name"],
            account_id=account.pk,
            licence=data["licence"],
            origin=data["origin"],
            author=data["author"],
            labels=data.get("labels", ()),
        )
        version = services.import_model(actor=self.actor, wanted=wanted, chunks=data["file"].chunks())
        return version.model

    def update_row(self, row: Model, data: Mapping[str, Any]) -> Model:
        return services.update_model(actor=self.actor, model=row, **data)

    def delete_row(self, row: Model) -> None:
        services.delete_model(actor=self.actor, model=row)

    @extend_schema(responses=AlgorithmsSerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def algorithms(self, request: Request) -> Response:
        """Tell what this installation can run."""
        return Response(AlgorithmsSerializer(algorithms()).data)


class ModelVersionViewSet(AccessModelViewSet[ModelVersion]):
    """Single versions: their default parameters, and deleting one that nothing uses."""

    queryset = ModelVersion.objects.select_related("model")
    write_action = Action.MANAGE_MODELS
    account_path = "model__account_id"
    camera_path = None
    read_serializer_class = ModelVersionSerializer
    write_serializer_class = ModelVersionWriteSerializer
    filterset_fields = ("model", "runtime")
    ordering_fields = ("created_at", "version")
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "patch", "delete"]

    def update_row(self, row: ModelVersion, data: Mapping[str, Any]) -> ModelVersion:
        return versions.update_version(actor=self.actor, version=row, **data)

    def delete_row(self, row: ModelVersion) -> None:
        versions.delete_version(actor=self.actor, version=row)


def _refuse_early(request: Request) -> None:
    """Refuse by the stated length, before the body is read; what is really read is counted again."""
    stated = request.headers.get("Content-Length", "")
    if stated and not stated.isdecimal():
        raise InvalidInputError("Content-Length: expected a whole number.")
    if stated and int(stated) > files.MAX_MODEL_BYTES + _FORM_BYTES:
        raise PayloadTooLargeError(
            f"A model may have at most {files.MAX_MODEL_BYTES >> 20} MB.", field="file"
        )
