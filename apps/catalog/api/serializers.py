"""How models look, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Model, ModelVersion
from apps.catalog.parameters import known_parameters


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version. `parameters` are its defaults where they differ; `known_parameters` are all there are."""

    model = serializers.UUIDField(source="model_id", read_only=True)
    known_parameters = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "model",
            "version",
            "runtime",
            "builtin",
            "sha256",
            "size_bytes",
            "labels",
            "input_size_wh",
            "parameters",
            "known_parameters",
            "facts",
            "created_at",
        ]

    def get_known_parameters(self, version: ModelVersion) -> dict[str, Any]:
        return known_parameters(version.builtin)


class ModelReadSerializer(serializers.ModelSerializer[Model]):
    """A model with its versions, newest first; `account` is null for those that every account may use."""

    account = serializers.UUIDField(source="account_id", read_only=True, allow_null=True)
    versions = serializers.SerializerMethodField()

    class Meta:
        model = Model
        fields = [
            "id",
            "account",
            "slug",
            "name",
            "task",
            "description",
            "licence",
            "origin",
            "author",
            "versions",
            "created_at",
            "updated_at",
        ]

    @extend_schema_field(ModelVersionSerializer(many=True))
    def get_versions(self, model: Model) -> list[dict[str, Any]]:
        versions = sorted(model.versions.all(), key=lambda version: -version.version)
        return [dict(ModelVersionSerializer(version).data) for version in versions]


class LabelsField(serializers.ListField):
    """Names of a model's classes, in order; as a form they come as one text with commas."""

    child = serializers.CharField(max_length=64)

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) == 1 and isinstance(data[0], str) and "," in data[0]:
            data = [label.strip() for label in data[0].split(",")]
        found: list[Any] = super().to_internal_value(data)
        return found


class ModelUploadFormSerializer(serializers.Serializer[Any]):
    """An ONNX file of a known layout. `labels` are for files that name no classes themselves."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    licence = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    origin = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    author = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    labels = LabelsField(required=False, max_length=10_000)
    file = serializers.FileField(allow_empty_file=True)


class ModelWriteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    licence = serializers.CharField(max_length=120, required=False, allow_blank=True)
    author = serializers.CharField(max_length=120, required=False, allow_blank=True)


class ModelVersionWriteSerializer(serializers.Serializer[Any]):
    parameters = serializers.DictField(required=False)
    labels = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, max_length=10_000
    )


class AlgorithmsSerializer(serializers.Serializer[Any]):
    """What this installation can run."""

    tasks = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    heads = serializers.ListField(child=serializers.CharField())
    runtimes = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    detectors = serializers.ListField(child=serializers.DictField())
    trackers = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    training = serializers.DictField(child=serializers.BooleanField())
