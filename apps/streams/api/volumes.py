"""Volumes: where footage is kept. They belong to the site: its superusers alone see and change them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.access import Action, Resource
from apps.accounts.api.viewsets import AccessModelViewSet
from apps.core.exceptions import ConflictError
from apps.streams import volume_adoption, volume_services
from apps.streams.models import Volume, VolumeKind, VolumeTier
from apps.streams.selectors import used_bytes_by_volume
from apps.streams.volume_checks import LEAST_QUOTA_BYTES, MOST_BYTES
from apps.streams.volume_states import look_at, note


class VolumeReadSerializer(serializers.ModelSerializer[Volume]):
    """A volume, its state as last looked at, and how much footage is on it. Keys are never shown."""

    used_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Volume
        fields = [
            "id",
            "name",
            "kind",
            "tier",
            "root",
            "options",
            "node_name",
            "state",
            "state_detail",
            "state_since",
            "is_default",
            "max_bytes",
            "min_free_bytes",
            "free_bytes",
            "total_bytes",
            "used_bytes",
            "checked_at",
            "scrubbed_at",
        ]

    def get_used_bytes(self, volume: Volume) -> int:
        used: dict[Any, int] = self.context.get("used_bytes", {})
        return used.get(volume.id, 0)


class BucketOptionsSerializer(serializers.Serializer[Any]):
    """Of a bucket: where its service answers, if that is not AWS, and its region."""

    endpoint = serializers.URLField(max_length=300, required=False, allow_blank=True)
    region = serializers.CharField(max_length=60, required=False, allow_blank=True)


class VolumeWriteSerializer(serializers.Serializer[Any]):
    """`root` is an absolute path on this machine, or `s3://bucket/prefix`. Kind, tier and keys stay."""

    name = serializers.CharField(max_length=120)
    root = serializers.CharField(max_length=500)  # type: ignore[assignment]  # a field's name
    kind = serializers.ChoiceField(choices=VolumeKind.choices, required=False)
    tier = serializers.ChoiceField(choices=VolumeTier.choices, required=False)
    node_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    max_bytes = serializers.IntegerField(
        min_value=LEAST_QUOTA_BYTES, max_value=MOST_BYTES, required=False, allow_null=True
    )
    min_free_bytes = serializers.IntegerField(min_value=0, max_value=MOST_BYTES, required=False)
    options = BucketOptionsSerializer(required=False)
    access_key = serializers.CharField(max_length=200, required=False, allow_blank=True, write_only=True)
    secret_key = serializers.CharField(max_length=200, required=False, allow_blank=True, write_only=True)


class VolumeViewSet(AccessModelViewSet[Volume]):
    """Volumes: the folders and buckets that hold segments."""

    queryset = Volume.objects.all()
    read_serializer_class = VolumeReadSerializer
    write_serializer_class = VolumeWriteSerializer
    filterset_fields = ("state", "tier")
    ordering_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[Volume]:
        rows = GenericViewSet.get_queryset(self)
        is_hidden = getattr(self, "swagger_fake_view", False) or not self.actor.is_superuser
        return rows.none() if is_hidden else rows

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "used_bytes": used_bytes_by_volume()}

    def resource_of(self, row: Volume) -> Resource:
        return Resource(None)

    def create_row(self, data: Mapping[str, Any]) -> Volume:
        return volume_services.add_volume(actor=self.actor, **data)

    def update_row(self, row: Volume, data: Mapping[str, Any]) -> Volume:
        return volume_services.update_volume(actor=self.actor, volume=row, changes=data)

    def delete_row(self, row: Volume) -> None:
        volume_services.remove_volume(actor=self.actor, volume=row)

    @extend_schema(request=None, responses=VolumeReadSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str | None = None) -> Response:
        """Look at it now."""
        row = self.get_for(Action.MANAGE_CAMERAS)
        note(row, look_at(row))
        return Response(self.read(row))

    @extend_schema(request=None, responses=VolumeReadSerializer)
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: str | None = None) -> Response:
        """Take over what is in its folder, which is another installation's."""
        row = self.get_for(Action.MANAGE_CAMERAS)
        if row.kind != VolumeKind.FOLDER:
            raise ConflictError("Only folders can be adopted.")
        return Response(
            self.read(volume_adoption.adopt_volume(actor=self.actor, root=Path(row.root), name=row.name))
        )
