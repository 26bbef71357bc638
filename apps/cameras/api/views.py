"""Cameras and groups."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, Resource, require
from apps.accounts.api.viewsets import AccessModelViewSet, chosen_account
from apps.accounts.selectors import account_for_writing
from apps.cameras import groups, services
from apps.cameras.api.filters import CameraFilter
from apps.cameras.api.serializers import (
    CameraGroupReadSerializer,
    CameraGroupWriteSerializer,
    CameraReadSerializer,
    CameraWriteSerializer,
    ProbedSerializer,
    ProbeSerializer,
)
from apps.cameras.models import Camera, CameraGroup
from apps.cameras.probing import probe_address


class CameraViewSet(AccessModelViewSet[Camera]):
    """Cameras: with nothing but a name and an address they are live, armed, and record on events."""

    queryset = Camera.objects.prefetch_related("sensors")
    camera_path = "id"
    read_serializer_class = CameraReadSerializer
    write_serializer_class = CameraWriteSerializer
    filterset_class = CameraFilter
    ordering_fields = ("number", "name", "created_at")
    ordering = ("number",)

    def create_row(self, data: Mapping[str, Any]) -> Camera:
        account = account_for_writing(self.actor, Action.MANAGE_CAMERAS, chosen_account(data))
        fields = {name: value for name, value in data.items() if name not in {"account", "is_enabled"}}
        camera = services.add_camera(actor=self.actor, account=account, **fields)
        if data.get("is_enabled") is False:
            return services.update_camera(actor=self.actor, camera=camera, changes={"is_enabled": False})
        return camera

    def update_row(self, row: Camera, data: Mapping[str, Any]) -> Camera:
        changes = {name: value for name, value in data.items() if name != "account"}
        return services.update_camera(actor=self.actor, camera=row, changes=changes)

    def delete_row(self, row: Camera) -> None:
        services.delete_camera(actor=self.actor, camera=row)

    @extend_schema(request=ProbeSerializer, responses=ProbedSerializer)
    @action(detail=False, methods=["post"], serializer_class=ProbeSerializer)
    def probe(self, request: Request) -> Response:
        """Open an address once and show what is there, without saving anything."""
        account = account_for_writing(self.actor, Action.MANAGE_CAMERAS)
        require(self.actor, Action.MANAGE_CAMERAS, Resource(account.pk))
        serializer = ProbeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(asdict(probe_address(**serializer.validated_data)))


class CameraGroupViewSet(AccessModelViewSet[CameraGroup]):
    """Cameras that are granted and watched together; a group is seen by who sees all of its cameras."""

    queryset = CameraGroup.objects.prefetch_related("cameras")
    camera_path = "cameras"
    read_serializer_class = CameraGroupReadSerializer
    write_serializer_class = CameraGroupWriteSerializer
    filterset_fields = ("name",)
    ordering_fields = ("name", "created_at")
    ordering = ("name",)

    def create_row(self, data: Mapping[str, Any]) -> CameraGroup:
        account = account_for_writing(self.actor, Action.MANAGE_CAMERAS, chosen_account(data))
        fields = {name: value for name, value in data.items() if name != "account"}
        return groups.create_group(actor=self.actor, account=account, **fields)

    def update_row(self, row: CameraGroup, data: Mapping[str, Any]) -> CameraGroup:
        changes = {name: value for name, value in data.items() if name != "account"}
        return groups.update_group(actor=self.actor, group=row, **changes)

    def delete_row(self, row: CameraGroup) -> None:
        groups.delete_group(actor=self.actor, group=row)
