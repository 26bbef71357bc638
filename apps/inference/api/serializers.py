"""How analytics, tracks, events and minutes look, and what may be sent about analytics."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.rows import RowSerializer
from apps.inference.models import Analytic, AnalyticKind, Event, MinuteSummary, Track

_POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_POLYGON = {"type": "array", "items": _POINT, "minItems": 3}


_POINTS = {"type": "array", "items": _POINT}
_UNIT = {"type": "string", "enum": ["parts", "percent", "pixels"]}
_SIDES = ("x", "y", "width", "height")
_ROI = {"type": "object", "properties": {side: {"type": "number"} for side in _SIDES}, "required": [*_SIDES]}
_NAMED = {
    "type": "object",
    "properties": {"points": _POLYGON, "roi": _ROI, "unit": _UNIT, "name": {"type": "string"}},
}
_ENTRY = {
    "type": "object",
    "properties": {
        "weekdays": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}},
        "start": {"type": "string", "example": "08:00"},
        "end": {"type": "string", "example": "24:00"},
        "timezone": {"type": "string", "example": "Europe/Berlin"},
    },
    "required": ["start", "end"],
}


@extend_schema_field({"type": "array", "items": {"oneOf": [_POLYGON, _NAMED]}})
class RegionsField(serializers.JSONField):
    """Polygons `[[x, y], …]` in parts of the picture, or objects with `points` or `roi`, `unit`, `name`."""


@extend_schema_field({"type": "array", "items": _ENTRY})
class ScheduleField(serializers.JSONField):
    """When it works: weekdays 1 (Monday) to 7, from and until in a time zone; empty: always."""


@extend_schema_field({"type": "object", "properties": {"picture": _POINTS, "metres": _POINTS}})
class PlaneField(serializers.JSONField):
    """Four points in parts of the picture, and where they are on the ground in metres; empty: none."""


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
    order = serializers.IntegerField(source="position", read_only=True)
    regions = RegionsField(read_only=True)
    motion_mask = RegionsField(read_only=True)
    plane = PlaneField(read_only=True)
    schedule = ScheduleField(read_only=True)
    counting = serializers.DictField(read_only=True)
    last_result = serializers.SerializerMethodField()

    class Meta:
        model = Analytic
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "number",
            "order",
            "name",
            "label",
            "kind",
            "model",
            "model_name",
            "model_version",
            "is_enabled",
            "rate_fps",
            "min_confidence",
            "labels",
            "regions",
            "motion_mask",
            "plane",
            "schedule",
            "counting",
            "parameters",
            "status",
            "status_detail",
            "status_at",
            "analysed_fps",
            "dropped_frames",
            "last_result",
            "created_at",
            "updated_at",
        ]

    def get_last_result(self, analytic: Analytic) -> dict[str, Any] | None:
        """Return what a counting analytic said last, without the name of a file."""
        hidden = {"news", "image"}
        return {name: value for name, value in analytic.last_result.items() if name not in hidden} or None


class AnalyticChangeSerializer(serializers.Serializer[Any]):
    """What can be changed; empty labels are all of the model's, empty regions the whole picture.

    `kind` `people_count` counts what has one of the labels, as `counting` says: `at_least` and `at_most`,
    `probes` pictures in a row, `delay_s`, `trigger` (`period`, `start`, `end`) and `period_s`, and whether
    `coordinates` and an `overview` picture (`image_format`, `image_quality`, `image_max_px`) are wanted.
    """

    model_version = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120, required=False)
    label = serializers.CharField(  # type: ignore[assignment]  # a field of this name, not the serializer's own
        max_length=128, required=False, allow_blank=True
    )
    order = serializers.IntegerField(required=False, min_value=0, max_value=32_767)
    kind = serializers.ChoiceField(choices=AnalyticKind.choices, required=False)
    is_enabled = serializers.BooleanField(required=False)
    rate_fps = serializers.FloatField(required=False)
    min_confidence = serializers.FloatField(required=False)
    labels = serializers.ListField(child=serializers.CharField(max_length=64), max_length=200, required=False)
    regions = RegionsField(required=False)
    motion_mask = RegionsField(required=False)
    plane = PlaneField(required=False)
    schedule = ScheduleField(required=False)
    counting = serializers.DictField(required=False)
    parameters = serializers.DictField(required=False)


class AnalyticWriteSerializer(AnalyticChangeSerializer):
    """A new analytic: a model version on a stream."""

    stream = serializers.UUIDField()
    model_version = serializers.UUIDField()


class TrackReadSerializer(RowSerializer[Track]):
    """One object over time; `path` holds `[ms after start, x, y]` of its foot point.

    `zones` are its analytic's regions that it stood in, by name or number; sizes are shares of the picture.
    """

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True)
    analytic = serializers.UUIDField(source="analytic_id", read_only=True)
    analysis = serializers.UUIDField(source="analysis_id", read_only=True, allow_null=True)
    best_box = BoxField(read_only=True)
    zones = serializers.ListField(child=serializers.CharField(), read_only=True)
    crop = serializers.SerializerMethodField()

    class Meta:
        model = Track
        fields = [
            "id",
            "account",
            "camera",
            "stream",
            "analytic",
            "analysis",
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
            "zones",
            "size_min",
            "size_max",
            "top_speed_kmh",
        ]

    def get_crop(self, track: Track) -> str | None:
        return reverse("track-crop", args=[track.pk]) if track.crop else None


class EventReadSerializer(serializers.ModelSerializer[Event]):
    """Something that happened; it goes on while `end` is null."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)
    stream = serializers.UUIDField(source="stream_id", read_only=True, allow_null=True)
    track = serializers.UUIDField(source="track_id", read_only=True, allow_null=True)
    analysis = serializers.UUIDField(source="analysis_id", read_only=True, allow_null=True)
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
            "analysis",
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
