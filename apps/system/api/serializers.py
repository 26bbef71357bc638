"""How the system looks through the API."""

from typing import Any

from rest_framework import serializers

from apps.core.models import AuditEntry, PeriodicJob, PeriodicRun, Task


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "unavailable"])


class VersionSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    python = serializers.CharField()
    django = serializers.CharField()
    ffmpeg = serializers.CharField()


class CheckSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    is_ok = serializers.BooleanField()


class NodeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    slots = serializers.IntegerField()
    lease_count = serializers.IntegerField()
    is_draining = serializers.BooleanField()
    seen_at = serializers.DateTimeField()


class VolumeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    node_name = serializers.CharField()
    tier = serializers.CharField()
    state = serializers.CharField()
    state_detail = serializers.CharField()
    state_since = serializers.DateTimeField(allow_null=True)
    is_default = serializers.BooleanField()
    max_bytes = serializers.IntegerField(allow_null=True)
    min_free_bytes = serializers.IntegerField()
    free_bytes = serializers.IntegerField(allow_null=True)
    total_bytes = serializers.IntegerField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class ReadingSerializer(serializers.Serializer[Any]):
    subscriber = serializers.CharField()
    waiting = serializers.IntegerField()
    lag_s = serializers.FloatField()
    failures = serializers.IntegerField()
    last_error = serializers.CharField()


class ServerFactsSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    used_bytes = serializers.IntegerField()
    connections = serializers.IntegerField()


class StatusDetailSerializer(serializers.Serializer[Any]):
    """What only administrators see."""

    nodes = NodeSerializer(many=True)
    volumes = VolumeSerializer(many=True)
    queues = serializers.DictField(child=serializers.IntegerField())
    outbox = ReadingSerializer(many=True)
    database = ServerFactsSerializer()
    broker = ServerFactsSerializer(allow_null=True)
    bus = ServerFactsSerializer(allow_null=True)


class StatusSerializer(serializers.Serializer[Any]):
    """How Omma is, and the sources that the caller may see, by state."""

    status = serializers.ChoiceField(choices=["ok", "degraded"])
    version = serializers.CharField()
    checks = CheckSerializer(many=True)
    sources = serializers.DictField(child=serializers.IntegerField())
    detail = StatusDetailSerializer(allow_null=True)


class TaskReadSerializer(serializers.ModelSerializer[Task]):
    """A long job."""

    account = serializers.UUIDField(source="account_id", read_only=True, allow_null=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)

    class Meta:
        model = Task
        fields = [
            "id",
            "account",
            "camera",
            "kind",
            "state",
            "progress",
            "result",
            "error",
            "attempts",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class JobReadSerializer(serializers.ModelSerializer[PeriodicJob]):
    class Meta:
        model = PeriodicJob
        fields = [
            "name",
            "title",
            "queue",
            "schedule",
            "is_enabled",
            "last_run_at",
            "last_duration_s",
            "last_result",
            "last_message",
        ]
        read_only_fields = fields


class JobWriteSerializer(serializers.Serializer[Any]):
    is_enabled = serializers.BooleanField(required=False)
    schedule = serializers.CharField(max_length=64, required=False)


class JobRunSerializer(serializers.ModelSerializer[PeriodicRun]):
    class Meta:
        model = PeriodicRun
        fields = ["id", "slot", "started_at", "finished_at", "result", "message", "is_manual"]
        read_only_fields = fields


class AuditEntryReadSerializer(serializers.ModelSerializer[AuditEntry]):
    account = serializers.UUIDField(source="account_id", read_only=True, allow_null=True)

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "at",
            "account",
            "actor_kind",
            "actor_id",
            "actor_name",
            "address",
            "action",
            "subject_kind",
            "subject_id",
            "subject_name",
            "detail",
        ]
        read_only_fields = fields
