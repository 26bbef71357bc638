"""How streams, sources, segments and gaps look; what may be sent about streams."""

from typing import Any

from rest_framework import serializers

from apps.streams.life import Life, RestartState
from apps.streams.life_services import MAX_DELAY_S, MAX_RESTARTS, restart_state
from apps.streams.models import Gap, Mode, Segment, Source, SourceStatus, Stream, StreamLog
from apps.streams.services import MAX_ROLL_S


class SourceReadSerializer(serializers.ModelSerializer[Source]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    restart_state = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = [
            "id",
            "account",
            "camera",
            "name",
            "is_wanted",
            "status",
            "status_code",
            "status_detail",
            "status_at",
            "retry_at",
            "life",
            "life_code",
            "life_detail",
            "life_at",
            "paused_until",
            "restart_state",
            "restart_limit",
            "restart_delay_s",
            "restart_attempt",
            "restarted_at",
            "restart_due_at",
            "last_frame_at",
            "created_at",
            "updated_at",
        ]

    def get_restart_state(self, source: Source) -> RestartState:
        return restart_state(source)


class StreamReadSerializer(serializers.ModelSerializer[Stream]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    volume = serializers.UUIDField(source="volume_id", read_only=True, allow_null=True)
    source = serializers.UUIDField(source="source_id", read_only=True)  # type: ignore[assignment]  # a field's name
    status = serializers.ChoiceField(choices=SourceStatus.choices, source="source.status", read_only=True)
    status_code = serializers.CharField(source="source.status_code", read_only=True)
    status_detail = serializers.CharField(source="source.status_detail", read_only=True)
    status_at = serializers.DateTimeField(source="source.status_at", read_only=True)
    retry_at = serializers.DateTimeField(source="source.retry_at", read_only=True, allow_null=True)
    life = serializers.ChoiceField(choices=Life.choices, source="source.life", read_only=True)
    life_detail = serializers.CharField(source="source.life_detail", read_only=True)
    life_at = serializers.DateTimeField(source="source.life_at", read_only=True, allow_null=True)

    class Meta:
        model = Stream
        fields = [
            "id",
            "account",
            "camera",
            "source",
            "name",
            "status",
            "status_code",
            "status_detail",
            "status_at",
            "retry_at",
            "life",
            "life_detail",
            "life_at",
            "mode",
            "pre_roll_s",
            "post_roll_s",
            "codec",
            "width",
            "height",
            "frame_rate",
            "has_audio",
            "volume",
            "created_at",
            "updated_at",
        ]


class StreamWriteSerializer(serializers.Serializer[Any]):
    """What of a stream can be changed: what is kept of it; and, by superusers, the volume it goes to."""

    mode = serializers.ChoiceField(choices=Mode.choices, required=False)
    pre_roll_s = serializers.IntegerField(min_value=0, max_value=MAX_ROLL_S, required=False)
    post_roll_s = serializers.IntegerField(min_value=0, max_value=MAX_ROLL_S, required=False)
    volume = serializers.UUIDField(required=False, allow_null=True)


class StreamLogSerializer(serializers.ModelSerializer[StreamLog]):
    """What became of a source. Without `analytic_index`: of the stream, and so of all of its analytics."""

    source = serializers.UUIDField(source="source_id", read_only=True)  # type: ignore[assignment]  # a field's name
    camera = serializers.UUIDField(source="camera_id", read_only=True)

    class Meta:
        model = StreamLog
        fields = [
            "id", "source", "camera", "at", "status", "code", "detail", "actor_name", "handler",
            "last_frame_at", "analytic_index",
        ]  # fmt: skip


class PauseSerializer(serializers.Serializer[Any]):
    """A pause: until it is resumed, or until a time."""

    until = serializers.DateTimeField(required=False, allow_null=True)


class RestartPolicySerializer(serializers.Serializer[Any]):
    """How often a source that failed is started again, and after how long. Null: without end."""

    restart_limit = serializers.IntegerField(min_value=0, max_value=MAX_RESTARTS, allow_null=True)
    restart_delay_s = serializers.FloatField(min_value=0, max_value=MAX_DELAY_S, default=5.0)


class CleanLogSerializer(serializers.Serializer[Any]):
    """Which entries to delete: those before a time, but each source's last."""

    before = serializers.DateTimeField()


class CleanedLogSerializer(serializers.Serializer[Any]):
    """How many entries were deleted."""

    deleted = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer[Any]):
    """What is stored of a stream."""

    segments = serializers.IntegerField()
    stored_bytes = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True)
    newest = serializers.DateTimeField(allow_null=True)


class RangeSerializer(serializers.Serializer[Any]):
    """A range of time, half-open."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": ["It must be later than start."]})
        return attrs


class SpanSerializer(serializers.Serializer[Any]):
    """A stretch of the timeline: `recorded`, or a `gap` with its cause."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.CharField()
    cause = serializers.CharField()
    detail = serializers.CharField()


class SegmentReadSerializer(serializers.ModelSerializer[Segment]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    volume = serializers.UUIDField(source="volume_id", read_only=True)

    class Meta:
        model = Segment
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "volume",
            "epoch",
            "sequence",
            "start",
            "end",
            "clock",
            "error_us",
            "state",
            "is_transient",
            "is_damaged",
            "damaged_pictures",
            "camera_offset_us",
            "codec",
            "width",
            "height",
            "has_audio",
            "durable_bytes",
            "sha256",
        ]


class GapReadSerializer(serializers.ModelSerializer[Gap]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)

    class Meta:
        model = Gap
        fields = ["id", "account", "camera", "stream", "start", "end", "cause", "detail"]
