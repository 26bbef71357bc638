"""The timeline over HTTP."""

import math
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, Actor, visible
from apps.accounts.api.viewsets import ActorMixin
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.recordings.api.answers import answer_of
from apps.recordings.api.ranges import DaySerializer, RangeQuerySerializer, TimeZoneField
from apps.recordings.models import Recording
from apps.recordings.timeline.selectors import timeline_of_streams
from apps.recordings.timeline.values import MAX_RANGE, MAX_STREAMS, TimelineRange
from apps.streams.models import Stream


class TimelineQuerySerializer(RangeQuerySerializer):
    """The range; `stream` and `camera` may each be given several times."""

    max_range = MAX_RANGE

    resolution_s = serializers.FloatField(required=False, min_value=0, max_value=31 * 86400)

    def validate_resolution_s(self, value: float) -> float:
        if not math.isfinite(value):
            raise serializers.ValidationError("Expected a number of seconds.")
        return value


class CoveredSpanSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    recorded_s = serializers.FloatField()


class GapSpanSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    cause = serializers.CharField()
    gap_s = serializers.FloatField()
    count = serializers.IntegerField()


class TimelineRecordingSerializer(serializers.ModelSerializer[Recording]):
    state = serializers.CharField()
    cause_kind = serializers.CharField()

    class Meta:
        model = Recording
        fields = [
            "id", "number", "name", "state", "start", "end", "cause_kind", "cause_name", "labels", "is_held",
        ]  # fmt: skip


class BucketSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    motion = serializers.FloatField()
    mean_motion = serializers.FloatField()
    labels = serializers.DictField(child=serializers.IntegerField())


class StreamTimelineSerializer(serializers.Serializer[Any]):
    stream = serializers.UUIDField(source="stream_id")
    camera = serializers.UUIDField(source="stream.camera_id")
    name = serializers.CharField(source="stream.name")
    recorded_s = serializers.FloatField()
    gap_s = serializers.FloatField()
    covered = CoveredSpanSerializer(many=True)
    gaps = GapSpanSerializer(many=True)
    recordings = TimelineRecordingSerializer(many=True)
    buckets = BucketSerializer(many=True)


class TimelineSerializer(serializers.Serializer[Any]):
    """What `answer_of` returns.

    `resolution_s` and `bucket_s` are those used: spans nearer than that are one, buckets are as long.

    `days` are those of `time_zone` that the range touches, each whole.
    """

    start = serializers.DateTimeField(source="wanted.start")
    end = serializers.DateTimeField(source="wanted.end")
    resolution_s = serializers.FloatField(source="wanted.joined_s")
    bucket_s = serializers.IntegerField(source="wanted.bucket_s")
    has_all_recordings = serializers.BooleanField()
    time_zone = TimeZoneField(source="wanted.zone")
    days = DaySerializer(many=True, source="wanted.days")
    streams = StreamTimelineSerializer(many=True)


def _many(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.UUID, many=True, description="May be given several times.")


class TimelineView(ActorMixin):
    """What is recorded, why some time is not, what was kept and what was seen, of one or many streams."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        parameters=[TimelineQuerySerializer, _many("stream"), _many("camera")],
        responses=TimelineSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return timelines in the order of their streams; spans below the resolution are joined."""
        query = TimelineQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        stream_ids = ids_in_query(request, "stream")
        camera_ids = ids_in_query(request, "camera")
        values = dict(query.validated_data)
        values["zone"] = values.pop("time_zone")
        wanted = TimelineRange(chosen_streams(self.actor, stream_ids, camera_ids), **values)
        return Response(answer_of(timeline_of_streams(wanted, now=timezone.now())))


def chosen_streams(actor: Actor, stream_ids: list[UUID], camera_ids: list[UUID]) -> tuple[Stream, ...]:
    """Return the streams named, and those of the cameras named; one that may not be played is a 404."""
    if not stream_ids and not camera_ids:
        raise InvalidInputError("Name a stream or a camera.", field="stream")
    if len(stream_ids) + len(camera_ids) > MAX_STREAMS:
        raise InvalidInputError(f"{MAX_STREAMS} streams at most.", field="stream")
    rows = visible(actor, Action.PLAYBACK, Stream.objects.select_related("camera"))
    named = {row.pk: row for row in rows.filter(pk__in=stream_ids)}
    if set(stream_ids) - named.keys():
        raise NotVisibleError
    chosen = [named[one] for one in stream_ids]
    if camera_ids:
        cameras = visible(actor, Action.PLAYBACK, Camera.objects.filter(pk__in=camera_ids), camera_path="id")
        if cameras.count() < len(set(camera_ids)):
            raise NotVisibleError
        chosen += rows.filter(camera_id__in=camera_ids).order_by("camera_id", "created_at", "pk")
    chosen = list({row.pk: row for row in chosen}.values())
    if len(chosen) > MAX_STREAMS:
        raise InvalidInputError(f"{MAX_STREAMS} streams at most.", field="camera")
    return tuple(chosen)


def ids_in_query(request: Request, name: str) -> list[UUID]:
    """Return the ids given by a parameter that may be repeated, each once."""
    try:
        return list(dict.fromkeys(UUID(text) for text in request.query_params.getlist(name)))
    except ValueError as error:
        raise InvalidInputError(f"{name}: expected an id.", field=name) from error
