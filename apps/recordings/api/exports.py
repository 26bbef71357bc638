"""Exports over HTTP."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework import serializers

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet
from apps.core.exceptions import InvalidInputError
from apps.recordings.exports import services, timelapses
from apps.recordings.models import Export, ExportKind, ExportState
from apps.streams.models import Stream


class ExportReadSerializer(serializers.ModelSerializer[Export]):
    """An export. `gap_s` is how much of the range its files do not show, over all streams.

    `every_s`, `frame_rate` and `width` are those of a time-lapse.
    """

    account = serializers.UUIDField(source="account_id", read_only=True)
    cameras = serializers.ListField(source="camera_ids", child=serializers.UUIDField(), read_only=True)
    streams = serializers.ListField(source="stream_ids", child=serializers.UUIDField(), read_only=True)
    kind = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    progress = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = Export
        fields = [
            "id", "account", "kind", "every_s", "frame_rate", "width", "cameras", "streams", "name", "start",
            "end", "state", "progress", "error",
            "error_code", "size_bytes", "file_count", "damaged_count", "gap_s", "manifest_sha256", "file_url",
            "created_by_name", "created_at", "finished_at", "expires_at",
        ]  # fmt: skip

    def get_progress(self, row: Export) -> float:
        if row.state == ExportState.DONE:
            return 1.0
        return row.task.progress if row.task is not None else 0.0

    def get_file_url(self, row: Export) -> str | None:
        if row.state != ExportState.DONE:
            return None
        is_zip = row.kind == ExportKind.ZIP
        return reverse("media-export" if is_zip else "media-timelapse", args=[row.pk])


class ExportWriteSerializer(serializers.Serializer[Any]):
    """Streams of one account, and the range to take of all of them.

    A time-lapse takes one stream: a picture every `every_s`, `frame_rate` of them a second.
    """

    streams = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=services.MAX_STREAMS
    )
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    name = serializers.CharField(
        max_length=services.MAX_NAME_LENGTH, required=False, allow_blank=True, default=""
    )
    kind = serializers.ChoiceField(choices=ExportKind.choices, required=False, default=ExportKind.ZIP)
    every_s = serializers.FloatField(
        required=False, min_value=timelapses.MIN_EVERY_S, max_value=timelapses.MAX_EVERY_S
    )
    frame_rate = serializers.IntegerField(required=False, min_value=1, max_value=timelapses.MAX_FRAME_RATE)
    width = serializers.IntegerField(
        required=False, min_value=timelapses.MIN_WIDTH, max_value=timelapses.MAX_WIDTH
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_timelapse = attrs["kind"] == ExportKind.TIMELAPSE
        for name in ("every_s", "frame_rate", "width"):
            if name in attrs and not is_timelapse:
                raise serializers.ValidationError({name: ["This is for a time-lapse."]})
        if is_timelapse and len(set(attrs["streams"])) != 1:
            raise serializers.ValidationError({"streams": ["A time-lapse is of one stream."]})
        return attrs


class ExportViewSet(AccessModelViewSet[Export]):
    """Footage of several streams as one zip with a manifest that proves it, or a time-lapse; kept a week."""

    queryset = Export.objects.select_related("task")
    read_action = Action.PLAYBACK
    write_action = Action.PLAYBACK
    camera_path = "camera_ids"
    read_serializer_class = ExportReadSerializer
    write_serializer_class = ExportWriteSerializer
    filterset_fields = ("account", "state", "kind")
    ordering_fields = ("created_at", "start", "end", "size_bytes")
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post", "delete"]

    def create_row(self, data: Mapping[str, Any]) -> Export:
        streams = self._streams(list(dict.fromkeys(data["streams"])))
        if data["kind"] == ExportKind.TIMELAPSE:
            given = {name: data[name] for name in ("every_s", "frame_rate", "width") if name in data}
            return timelapses.create_timelapse(
                actor=self.actor,
                stream=streams[0],
                start=data["start"],
                end=data["end"],
                pace=timelapses.Pace(**given),
                name=data["name"],
            )
        return services.create_export(
            actor=self.actor,
            streams=streams,
            start=data["start"],
            end=data["end"],
            name=data["name"],
        )

    def delete_row(self, row: Export) -> None:
        services.delete_export(actor=self.actor, export=row)

    def _streams(self, ids: list[UUID]) -> list[Stream]:
        rows = visible(self.actor, Action.PLAYBACK, Stream.objects.select_related("account", "camera"))
        found = {row.pk: row for row in rows.filter(pk__in=ids)}
        if len(found) < len(ids):
            raise InvalidInputError("There is no such stream.", field="streams")
        return [found[one] for one in ids]
