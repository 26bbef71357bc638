"""Analytics, and what they found, over HTTP."""

from collections.abc import Mapping
from typing import Any

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import AccessModelViewSet, AccessReadOnlyViewSet
from apps.catalog.models import ModelVersion
from apps.core.api.keyset import KeysetPagination
from apps.core.exceptions import InvalidInputError
from apps.inference import services
from apps.inference.api.filters import AnalyticFilter, EventFilter, MinuteFilter, TrackFilter
from apps.inference.api.serializers import (
    AnalyticChangeSerializer,
    AnalyticReadSerializer,
    AnalyticWriteSerializer,
    EventReadSerializer,
    MinuteReadSerializer,
    TrackReadSerializer,
)
from apps.inference.models import Analytic, Event, MinuteSummary, Track
from apps.streams.models import Stream


class AnalyticViewSet(AccessModelViewSet[Analytic]):
    """Models on streams: what is looked for where, how often, and how it runs."""

    queryset = Analytic.objects.select_related("model_version__model", "stream")
    write_action = Action.MANAGE_CAMERAS
    read_serializer_class = AnalyticReadSerializer
    write_serializer_class = AnalyticWriteSerializer
    filterset_class = AnalyticFilter
    ordering_fields = ("number", "name", "created_at")
    ordering = ("created_at",)

    def get_serializer_class(self) -> type[Any]:
        return AnalyticChangeSerializer if self.action == "partial_update" else super().get_serializer_class()

    def create_row(self, data: Mapping[str, Any]) -> Analytic:
        stream = visible(self.actor, Action.VIEW, Stream.objects.all()).filter(pk=data["stream"]).first()
        if stream is None:
            raise InvalidInputError("There is no such stream.", field="stream")
        apart = {"stream", "model_version", "name"}
        wanted = services.NewAnalytic(
            stream=stream,
            model_version=self._version(data),
            name=data.get("name", ""),
            values={name: value for name, value in data.items() if name not in apart},
        )
        return services.create_analytic(actor=self.actor, wanted=wanted)

    def update_row(self, row: Analytic, data: Mapping[str, Any]) -> Analytic:
        values = dict(data)
        if "model_version" in values:
            values["model_version"] = self._version(values)
        return services.update_analytic(actor=self.actor, analytic=row, values=values)

    def delete_row(self, row: Analytic) -> None:
        services.delete_analytic(actor=self.actor, analytic=row)

    def _version(self, data: Mapping[str, Any]) -> ModelVersion:
        """Return the version that was named, if the actor may see it."""
        versions = ModelVersion.objects.select_related("model")
        shown = visible(self.actor, Action.VIEW, versions, camera_path=None, account_path="model__account_id")
        found = shown.filter(pk=data["model_version"]).first()
        if found is None:
            raise InvalidInputError("There is no such model.", field="model_version")
        return found


class TrackViewSet(AccessReadOnlyViewSet[Track]):
    """Objects over time, newest first."""

    queryset = Track.objects.all()
    read_action = Action.PLAYBACK
    read_serializer_class = TrackReadSerializer
    filterset_class = TrackFilter
    pagination_class = KeysetPagination
    ordering_fields = ("start", "end", "confidence", "hits")
    ordering = ("-start",)


class EventViewSet(AccessReadOnlyViewSet[Event]):
    """What happened, newest first."""

    queryset = Event.objects.all()
    read_action = Action.PLAYBACK
    read_serializer_class = EventReadSerializer
    filterset_class = EventFilter
    pagination_class = KeysetPagination
    ordering_fields = ("start", "confidence")
    ordering = ("-start",)


class MinuteViewSet(AccessReadOnlyViewSet[MinuteSummary]):
    """Streams minute by minute, for a time bar."""

    queryset = MinuteSummary.objects.all()
    read_action = Action.PLAYBACK
    read_serializer_class = MinuteReadSerializer
    filterset_class = MinuteFilter
    pagination_class = KeysetPagination
    ordering_fields = ("minute",)
    ordering = ("-minute",)
