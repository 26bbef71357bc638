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
from apps.core.days import Day, days_between
from apps.core.exceptions import NotVisibleError
from apps.recordings.api.ranges import RangeQuerySerializer, TimeZoneField
from apps.recordings.api.timeline import ids_in_query
from apps.recordings.statistics import (
    MAX_LABELS,
    MAX_RANGE,
    MAX_TRACKS,
    Figures,
    Statistics,
    statistics_of_cameras,
)


class StatisticsQuerySerializer(RangeQuerySerializer):
    """The range; without `camera`, all cameras that may be played back."""

    max_range = MAX_RANGE

    tracks = serializers.IntegerField(
        required=False, default=10, min_value=0, max_value=MAX_TRACKS, help_text="How many tracks to list."
    )


class FiguresSerializer(serializers.Serializer[Any]):
    """`recordings_s` is how long the recordings are in all; they may overlap."""

    segments = serializers.IntegerField()
    stored_bytes = serializers.IntegerField()
    recorded_s = serializers.FloatField()
    recordings = serializers.IntegerField()
    recordings_s = serializers.FloatField()
    gaps = serializers.IntegerField()
    gap_s = serializers.FloatField()
    gap_s_by_cause = serializers.DictField(child=serializers.FloatField())


class CameraFiguresSerializer(FiguresSerializer):
    camera = serializers.UUIDField()
    camera_name = serializers.CharField()


class DayFiguresSerializer(FiguresSerializer):
    """A day of the time zone asked for. Gaps count on the day they begin, their time on each they touch."""

    day = serializers.DateField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class CauseFiguresSerializer(serializers.Serializer[Any]):
    cause = serializers.CharField()
    gaps = serializers.IntegerField()
    gap_s = serializers.FloatField()


class LabelFiguresSerializer(serializers.Serializer[Any]):
    """`sightings` are objects of a minute, summed; `minutes` those with at least one."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field's name
    sightings = serializers.IntegerField()
    minutes = serializers.IntegerField()


class TrackFiguresSerializer(serializers.Serializer[Any]):
    """An object that was found in `hits` pictures."""

    track = serializers.UUIDField()
    camera = serializers.UUIDField()
    stream = serializers.UUIDField()
    analytic = serializers.UUIDField()
    number = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's name
    confidence = serializers.FloatField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    hits = serializers.IntegerField()


class StatisticsAnswerSerializer(serializers.Serializer[Any]):
    """`tracks` are those found most often; without `has_all_tracks`, among the newest of the range alone."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    time_zone = TimeZoneField()
    totals = FiguresSerializer()
    gap_s_by_cause = serializers.DictField(child=serializers.FloatField())
    causes = CauseFiguresSerializer(many=True)
    cameras = CameraFiguresSerializer(many=True)
    days = DayFiguresSerializer(many=True)
    labels = LabelFiguresSerializer(many=True)
    tracks = TrackFiguresSerializer(many=True)
    has_all_tracks = serializers.BooleanField()


_CAMERA = OpenApiParameter("camera", OpenApiTypes.UUID, many=True, description="May be given several times.")


class StatisticsView(ActorMixin):
    """What is stored, missing, recorded and seen: in all, by camera, by day and by label."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(parameters=[StatisticsQuerySerializer, _CAMERA], responses=StatisticsAnswerSerializer)
    def get(self, request: Request) -> Response:
        """Return figures of the cameras named, or of all that may be played back."""
        query = StatisticsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        names = self._cameras(request)
        days = list(days_between(wanted["start"], wanted["end"], wanted["time_zone"]))
        found = statistics_of_cameras(
            names,
            wanted["start"],
            wanted["end"],
            now=timezone.now(),
            days=days,
            most_tracks=wanted["tracks"],
        )
        shown = {**_shown(found, names, days), "time_zone": wanted["time_zone"]}
        return Response(StatisticsAnswerSerializer(shown).data)

    def _cameras(self, request: Request) -> dict[Any, str]:
        wanted = ids_in_query(request, "camera")
        rows = visible(self.actor, Action.PLAYBACK, Camera.objects.order_by("name", "pk"), camera_path="id")
        names = dict((rows.filter(pk__in=wanted) if wanted else rows).values_list("pk", "name"))
        if set(wanted) - names.keys():
            raise NotVisibleError
        return names


def _shown(found: Statistics, names: dict[Any, str], days: list[Day]) -> dict[str, Any]:
    """Return the figures; days on which there was nothing are left out."""
    labels = sorted(found.labels.values(), key=lambda one: (-one.sightings, one.label))
    by_day = zip(days, found.days, strict=True)
    return {
        "start": found.start,
        "end": found.end,
        "totals": found.totals,
        "gap_s_by_cause": dict(sorted(found.totals.gap_s_by_cause.items())),
        "causes": [found.causes[cause] for cause in sorted(found.causes)],
        "cameras": [
            {"camera": camera_id, "camera_name": name, **asdict(found.cameras[camera_id])}
            for camera_id, name in names.items()
        ],
        "days": [{**asdict(day), **asdict(figures)} for day, figures in by_day if figures != Figures()],
        "labels": labels[:MAX_LABELS],
        "tracks": found.tracks,
        "has_all_tracks": found.has_all_tracks,
    }
