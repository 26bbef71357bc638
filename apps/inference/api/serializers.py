"""How analytics, tracks, events and minutes look, and what may be sent about analytics."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.inference.models import Analytic, Event, MinuteSummary, Track

_POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_POLYGON = {"type": "array", "items": _POINT, "minItems": 3}


@extend_schema_field({"type": "array", "items": _POLYGON})
class PolygonsField(serializers.JSONField):
    """Polygons `[[x, y], …]` in parts of the picture, 0 to 1."""


@extend_schema_field({"type": "array", "items": {"type": "number"}, "maxItems": 4})
class BoxField(serializers.JSONField):
    """A box `x1 y1 x2 y2` in parts of the picture, 0 to 1."""


class AnalyticReadSerializer(serializers.ModelSerializer[Analytic]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    model = serializers.UUIDField(source="model_version.model_id", read_only=True)
    model_name = serializers.CharField(source="model_version.model.name", read_only=True)
    model_version = serializers.UUIDField(source="model_version_id", read_only=True)
    regions = PolygonsField(read_only=True)

    class Meta:
        model = Analytic
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "number",
            "name",
            "model",
            "model_name",
            "model_version",
            "is_enabled",
            "rate_fps",
            "min_confidence",
            "labels",
            "regions",
            "parameters",
            "status",
            "status_detail",
            "status_at",
            "analysed_fps",
            "dropped_frames",
            "created_at",
            "updated_at",
        ]


class AnalyticChangeSerializer(serializers.Serializer[Any]):
    """What can be changed; polygons are in parts of the picture, empty labels are all of the model's."""

    model_version = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120, required=False)
    is_enabled = serializers.BooleanField(required=False)
    rate_fps = serializers.FloatField(required=False)
    min_confidence = serializers.FloatField(required=False)
    labels = serializers.ListField(child=serializers.CharField(max_length=64), max_length=200, required=False)
    regions = PolygonsField(required=False)
    parameters = serializers.DictField(required=False)


class AnalyticWriteSerializer(AnalyticChangeSerializer):
    """A new analytic: a model version on a stream."""

    stream = serializers.UUIDField()
    model_version = serializers.UUIDField()


class TrackReadSerializer(serializers.ModelSerializer[Track]):
    """One object over time; `path` holds `[ms after start, x, y]` of its foot point."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    analytic = serializers.UUIDField(source="analytic_id", read_only=True)
    best_box = BoxField(read_only=True)
    crop = serializers.SerializerMethodField()

    class Meta:
        model = Track
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "analytic",
            "number",
            "label",
            "confidence",
            "start",
            "end",
            "is_live",
            "best_at",
            "best_box",
            "crop",
            "path",
            "hits",
        ]

    def get_crop(self, track: Track) -> str | None:
        return reverse("track-crop", args=[track.pk]) if track.crop else None


class EventReadSerializer(serializers.ModelSerializer[Event]):
    """Something that happened; it goes on while `end` is null."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True, allow_null=True)
    track = serializers.UUIDField(source="track_id", read_only=True, allow_null=True)
    box = BoxField(read_only=True)
    snapshot = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "kind",
            "cause_kind",
            "cause_id",
            "cause_name",
            "start",
            "end",
            "label",
            "confidence",
            "track",
            "box",
            "detail",
            "snapshot",
        ]

    def get_snapshot(self, event: Event) -> str | None:
        return reverse("event-snapshot", args=[event.pk]) if event.snapshot else None


class MinuteReadSerializer(serializers.ModelSerializer[MinuteSummary]):
    """One minute of a stream: the strongest motion (0 to 1), and how many tracks of each label."""

    stream = serializers.UUIDField(source="stream_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)

    class Meta:
        model = MinuteSummary
        fields = ["camera", "stream", "minute", "motion", "labels"]
