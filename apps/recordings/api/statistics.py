"""Statistics over HTTP."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import ActorMixin
from apps.cameras.models import Camera
from apps.core.exceptions import NotVisibleError
from apps.recordings.api.timeline import ids_in_query
from apps.recordings.statistics import MAX_LABELS, MAX_RANGE, Statistics, statistics_of_cameras


class StatisticsQuerySerializer(serializers.Serializer[Any]):
    """The range; without `camera`, all cameras that may be played back."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": ["The end must be after the start."]})
        if attrs["end"] - attrs["start"] > MAX_RANGE:
            raise serializers.ValidationError({"end": [f"{MAX_RANGE.days} days at most."]})
        return attrs


class FiguresSerializer(serializers.Serializer[Any]):
    segments = serializers.IntegerField()
    stored_bytes = serializers.IntegerField()
    recorded_s = serializers.FloatField()
    recordings = serializers.IntegerField()
    gaps = serializers.IntegerField()
    gap_s = serializers.FloatField()


class CameraFiguresSerializer(FiguresSerializer):
    camera = serializers.UUIDField()
    camera_name = serializers.CharField()


class DayFiguresSerializer(serializers.Serializer[Any]):
    """A day of UTC."""

    day = serializers.DateField()
    segments = serializers.IntegerField()
    stored_bytes = serializers.IntegerField()
    recorded_s = serializers.FloatField()
    recordings = serializers.IntegerField()


class LabelFiguresSerializer(serializers.Serializer[Any]):
    """`sightings` are objects of a minute, summed; `minutes` those with at least one."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field's name
    sightings = serializers.IntegerField()
    minutes = serializers.IntegerField()


class StatisticsAnswerSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    totals = FiguresSerializer()
    gap_s_by_cause = serializers.DictField(child=serializers.FloatField())
    cameras = CameraFiguresSerializer(many=True)
    days = DayFiguresSerializer(many=True)
    labels = LabelFiguresSerializer(many=True)


_CAMERA = OpenApiParameter("camera", OpenApiTypes.UUID, many=True, description="May be given several times.")


class StatisticsView(ActorMixin):
    """What is stored, missing, recorded and seen: in all, by camera, by day and by label."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(parameters=[StatisticsQuerySerializer, _CAMERA], responses=StatisticsAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Return figures of the cameras named, or of all that may be played back."""
        query = StatisticsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        names = self._cameras(request)
        found = statistics_of_cameras(
            names, query.validated_data["start"], query.validated_data["end"], now=timezone.now()
        )
        return Response(StatisticsAnswerSerializer(_shown(found, names)).data)

    def _cameras(self, request: Request) -> dict[Any, str]:
        wanted = ids_in_query(request, "camera")
        rows = visible(self.actor, Action.PLAYBACK, Camera.objects.order_by("name", "pk"), camera_path="id")
        names = dict((rows.filter(pk__in=wanted) if wanted else rows).values_list("pk", "name"))
        if set(wanted) - names.keys():
            raise NotVisibleError
        return names


def _shown(found: Statistics, names: dict[Any, str]) -> dict[str, Any]:
    labels = sorted(found.labels.values(), key=lambda one: (-one.sightings, one.label))
    return {
        "start": found.start,
        "end": found.end,
        "totals": found.totals,
        "gap_s_by_cause": dict(sorted(found.gap_s_by_cause.items())),
        "cameras": [
            {"camera": camera_id, "camera_name": name, **asdict(found.cameras[camera_id])}
            for camera_id, name in names.items()
        ],
        "days": [{"day": day, **asdict(figures)} for day, figures in sorted(found.days.items())],
        "labels": labels[:MAX_LABELS],
    }
