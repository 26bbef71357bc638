"""How recordings and retention policies look, and what may be sent about them."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from apps.core.api.rows import RowSerializer
from apps.recordings.addresses import video_address
from apps.recordings.models import Recording, RetentionPolicy
from apps.recordings.policies import FIELDS, MAX_HOURS, MAX_MOTION_HOURS
from apps.recordings.services import MAX_DURATION_S, MAX_NAME_LENGTH, MAX_PRE_ROLL_S


class RecordingReadSerializer(RowSerializer[Recording]):
    """A recording. `surplus_s` is how much earlier than wanted it begins, at the last keyframe before."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    camera_name = serializers.CharField(source="camera.name", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    continues = serializers.UUIDField(source="continues_id", read_only=True, allow_null=True)
    duration_s = serializers.SerializerMethodField()
    surplus_s = serializers.SerializerMethodField()
    video_url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()

    class Meta:
        model = Recording
        fields = [
            "id", "account", "camera", "camera_name", "stream", "number", "name", "state", "start", "end",
            "until", "duration_s", "wanted_start", "surplus_s", "trigger_at", "cause_kind", "cause_id",
            "cause_name",
            "labels", "confidence", "is_held", "continues", "video_url", "thumbnail_url", "created_at",
            "updated_at",
        ]  # fmt: skip

    def get_duration_s(self, row: Recording) -> float:
        return (row.end - row.start).total_seconds()

    def get_surplus_s(self, row: Recording) -> float:
        return max(0.0, (row.wanted_start - row.start).total_seconds())

    def get_video_url(self, row: Recording) -> str | None:
        return video_address(row)

    def get_thumbnail_url(self, row: Recording) -> str | None:
        return reverse("media-thumbnail", args=[row.pk]) if row.thumbnail else None


class RecordingStartSerializer(serializers.Serializer[Any]):
    """Record from now on (with pre-roll) until stopped or for a while; with `start` and `end`, that range."""

    stream = serializers.UUIDField()
    name = serializers.CharField(max_length=MAX_NAME_LENGTH, required=False, allow_blank=True, default="")
    pre_roll_s = serializers.IntegerField(min_value=0, max_value=MAX_PRE_ROLL_S, required=False)
    duration_s = serializers.IntegerField(min_value=1, max_value=MAX_DURATION_S, required=False)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for given, missing in (("start", "end"), ("end", "start")):
            if given in attrs and missing not in attrs:
                raise serializers.ValidationError({missing: ["Give both start and end, or neither."]})
        return attrs


class RecordingChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=MAX_NAME_LENGTH, allow_blank=True)


class RecordingExtendSerializer(serializers.Serializer[Any]):
    seconds = serializers.IntegerField(min_value=1, max_value=MAX_DURATION_S)


class RecordingPartSerializer(serializers.Serializer[Any]):
    """A stretch of the video, `at_s` after its start, that shows `[start, end)` of the day."""

    at_s = serializers.FloatField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class RetentionPolicyReadSerializer(serializers.ModelSerializer[RetentionPolicy]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True, allow_null=True)

    class Meta:
        model = RetentionPolicy
        fields = ["id", "account", "camera", "stream", *FIELDS, "created_at", "updated_at"]


class RetentionPolicyWriteSerializer(serializers.Serializer[Any]):
    """Footage goes when it is older than its class is kept, or when there are more than `max_bytes` of it.

    `max_age_hours` is about all footage; what moved (`motion_age_hours`) and what a recording touches
    (`event_age_hours`) may be kept longer, and held recordings are kept for ever. After
    `archive_after_hours` footage moves to a volume of the archive.
    """

    account = serializers.UUIDField(required=False)
    camera = serializers.UUIDField(required=False, allow_null=True)
    stream = serializers.UUIDField(required=False, allow_null=True)
    max_age_hours = serializers.IntegerField(min_value=1, max_value=MAX_HOURS, required=False)
    motion_age_hours = serializers.IntegerField(
        min_value=1, max_value=MAX_MOTION_HOURS, required=False, allow_null=True
    )
    event_age_hours = serializers.IntegerField(
        min_value=1, max_value=MAX_HOURS, required=False, allow_null=True
    )
    archive_after_hours = serializers.IntegerField(
        min_value=1, max_value=MAX_HOURS, required=False, allow_null=True
    )
    max_bytes = serializers.IntegerField(min_value=1, max_value=(1 << 63) - 1, required=False)
