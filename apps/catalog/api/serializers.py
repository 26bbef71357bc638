"""How models look, and what may be sent about them."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models import Model, ModelVersion


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "version",
            "runtime",
            "builtin",
            "sha256",
            "size_bytes",
            "labels",
            "input_size_wh",
            "created_at",
        ]


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
            "versions",
            "created_at",
            "updated_at",
        ]

    def get_versions(self, model: Model) -> list[dict[str, Any]]:
        versions = sorted(model.versions.all(), key=lambda version: -version.version)
        return [dict(ModelVersionSerializer(version).data) for version in versions]


class ModelUploadSerializer(serializers.Serializer[Any]):
    """An ONNX detector in the layout of an Ultralytics detection head."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    licence = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    origin = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    file = serializers.FileField(allow_empty_file=True)


class ModelWriteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
