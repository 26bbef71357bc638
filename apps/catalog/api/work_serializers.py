"""How uploads, conversions and trainings look, and what may be sent about them."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from apps.catalog.models import ModelConversion, ModelUpload, Training, UploadKind
from apps.core.models import Task

_HASH = r"^[0-9a-fA-F]{64}$"


class UploadReadSerializer(serializers.ModelSerializer[ModelUpload]):
    """A file that is coming; the next part begins at `received_bytes`."""

    account = serializers.UUIDField(source="account_id", read_only=True)

    class Meta:
        model = ModelUpload
        fields = [
            "id", "account", "kind", "name", "size_bytes", "sha256", "received_bytes", "expires_at",
            "created_at",
        ]  # fmt: skip


class UploadWriteSerializer(serializers.Serializer[Any]):
    """What is said about a file before its parts come."""

    account = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=UploadKind.choices, default=UploadKind.MODEL)
    name = serializers.CharField(max_length=120)
    size_bytes = serializers.IntegerField(min_value=1, max_value=1 << 50)
    sha256 = serializers.RegexField(_HASH)
    licence = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    origin = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    author = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    labels = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, default=list, max_length=10_000
    )


class WorkSerializer(serializers.Serializer[Any]):
    """What a conversion and a training have in common: the state of their job."""

    state = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    def get_state(self, row: Any) -> str:
        task: Task | None = row.task
        return task.state if task is not None else "done"

    def get_progress(self, row: Any) -> float:
        task: Task | None = row.task
        return task.progress if task is not None else 1.0

    def get_error(self, row: Any) -> str:
        task: Task | None = row.task
        return task.error if task is not None else ""


class ConversionReadSerializer(WorkSerializer, serializers.ModelSerializer[ModelConversion]):
    """A version in another format; `file_url` is there once it is made."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    version = serializers.UUIDField(source="version_id", read_only=True)
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = ModelConversion
        fields = [
            "id", "account", "version", "target", "state", "progress", "error", "sha256", "size_bytes",
            "file_url", "created_at",
        ]  # fmt: skip

    def get_file_url(self, row: ModelConversion) -> str | None:
        return reverse("media-conversion", args=[row.pk]) if row.file else None


class ConversionWriteSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False)
    version = serializers.UUIDField()
    target = serializers.CharField(max_length=40)


class TargetSerializer(serializers.Serializer[Any]):
    """A format; `missing` says what must be installed first, and is empty where nothing must."""

    name = serializers.CharField()
    title = serializers.CharField()
    source_runtime = serializers.CharField()
    missing = serializers.CharField()


class TrainingReadSerializer(WorkSerializer, serializers.ModelSerializer[Training]):
    """A training; `version` is what it gave."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    version = serializers.UUIDField(source="version_id", read_only=True, allow_null=True)

    class Meta:
        model = Training
        fields = [
            "id", "account", "name", "architecture", "options", "dataset_sha256", "state", "progress",
            "error", "version", "created_at",
        ]  # fmt: skip


class TrainingWriteSerializer(serializers.Serializer[Any]):
    """A finished upload of the kind dataset, and what to make of it."""

    upload = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    architecture = serializers.CharField(max_length=60, default="yolov8n")
    epochs = serializers.IntegerField(min_value=1, max_value=1000, default=50)
    picture_px = serializers.IntegerField(min_value=32, max_value=1280, default=320)
    batch = serializers.IntegerField(min_value=1, max_value=64, default=8)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
