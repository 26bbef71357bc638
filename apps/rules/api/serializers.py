"""How rules and their firings look, and what may be sent about rules."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.rules.checks import MAX_COOLDOWN_S, MAX_DURATION_S, MAX_NAME_LENGTH, MAX_ROLL_S
from apps.rules.models import Rule, RuleFiring
from omma_engine.rules import ConditionKind, Direction

_POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}


@extend_schema_field({"type": "array", "items": _POINT})
class PolygonField(serializers.JSONField):
    """A polygon `[[x, y], …]` in parts of the picture, 0 to 1; empty: everywhere."""


_CONDITION = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": [*ConditionKind]},
        "points": {"type": "array", "items": _POINT, "minItems": 2, "maxItems": 2},
        "direction": {"type": "string", "enum": [*Direction]},
        "seconds": {"type": "number"},
        "at_least": {"type": "integer", "nullable": True},
        "at_most": {"type": "integer", "nullable": True},
        "at_least_kmh": {"type": "number", "nullable": True},
        "at_most_kmh": {"type": "number", "nullable": True},
    },
}


@extend_schema_field(_CONDITION)
class ConditionField(serializers.JSONField):
    """What must hold besides, by `kind`; empty: nothing.

    `line` (`points`, `direction`: any, to_left, to_right, seen from the first point to the second), `dwell`
    (`seconds` in the polygon in all), `count` (`at_least`, `at_most` in the polygon at once), `speed`
    (`at_least_kmh`, `at_most_kmh`, where the analytic's plane is calibrated), `stationary` (`seconds`).
    """


class RuleReadSerializer(serializers.ModelSerializer[Rule]):
    """A rule. `cameras` is empty where `all_cameras` is true; empty rolls are the stream's own."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    cameras = serializers.PrimaryKeyRelatedField[Any](
        many=True, read_only=True, pk_field=serializers.UUIDField()
    )
    labels = serializers.ListField(child=serializers.CharField(), read_only=True)
    polygon = PolygonField(read_only=True)
    condition = ConditionField(read_only=True)

    class Meta:
        model = Rule
        fields = [
            "id", "account", "name", "is_enabled", "all_cameras", "cameras", "labels", "min_confidence",
            "polygon", "min_duration_s", "condition", "cooldown_s", "records", "pre_roll_s", "post_roll_s",
            "created_at", "updated_at",
        ]  # fmt: skip


class RuleWriteSerializer(serializers.Serializer[Any]):
    """When an object of these labels, at this confidence, in this polygon, for this long is seen there."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=MAX_NAME_LENGTH)
    is_enabled = serializers.BooleanField(required=False)
    all_cameras = serializers.BooleanField(required=False)
    cameras = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    labels = serializers.ListField(child=serializers.CharField(max_length=64))
    min_confidence = serializers.FloatField(min_value=0, max_value=1, required=False)
    polygon = PolygonField(required=False)
    condition = ConditionField(required=False)
    min_duration_s = serializers.FloatField(min_value=0, max_value=MAX_DURATION_S, required=False)
    cooldown_s = serializers.FloatField(min_value=0, max_value=MAX_COOLDOWN_S, required=False)
    records = serializers.BooleanField(required=False)
    pre_roll_s = serializers.IntegerField(min_value=0, max_value=MAX_ROLL_S, required=False, allow_null=True)
    post_roll_s = serializers.IntegerField(min_value=0, max_value=MAX_ROLL_S, required=False, allow_null=True)


class RuleFiringReadSerializer(serializers.ModelSerializer[RuleFiring]):
    """One time a rule fired, and what came of it."""

    rule = serializers.UUIDField(source="rule_id", read_only=True)
    rule_name = serializers.CharField(source="rule.name", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True)
    event = serializers.UUIDField(source="event_id", read_only=True)
    recording = serializers.UUIDField(source="recording_id", read_only=True, allow_null=True)
    video_url = serializers.SerializerMethodField()

    class Meta:
        model = RuleFiring
        fields = [
            "id", "rule", "rule_name", "camera", "event", "recording", "video_url", "at", "outcome", "reason",
        ]  # fmt: skip

    def get_video_url(self, row: RuleFiring) -> str | None:
        return reverse("media-recording", args=[row.recording_id]) if row.recording_id else None
