"""Viewsets that show an actor its own rows and nothing else, and write through services.

A subclass says where account and cameras are (`account_path`, `camera_path`), which actions reading and
writing are, and how rows look; it implements `create_row`, `update_row` and `delete_row` by calling one
service each, and names the methods it has in `http_method_names`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.db import models
from rest_framework import mixins, status
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.accounts.access import Action, Actor, Resource, actor_of, require, visible
from apps.accounts.row_filters import ids_at

Row = TypeVar("Row", bound=models.Model)
READ_METHODS = ("get", "head", "options")


class ActorMixin(APIView):
    """The actor of the request, as `self.actor`."""

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)


class AccessViewSet(ActorMixin, GenericViewSet[Row], Generic[Row]):
    """What reading and writing share: rows through `visible`, single rights through `require`."""

    read_action: ClassVar[Action] = Action.VIEW
    write_action: ClassVar[Action] = Action.MANAGE_CAMERAS
    account_path: ClassVar[str] = "account_id"
    camera_path: ClassVar[str | None] = "camera_id"
    read_serializer_class: ClassVar[type[BaseSerializer[Any]]]
    write_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    ordering_fields: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self) -> models.QuerySet[Row]:
        """Return the rows that the actor may read; a subclass adds its joins by `super().get_queryset()`."""
        rows: models.QuerySet[Row] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return visible(self.actor, self.read_action, rows, self.camera_path, self.account_path)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        is_write = self.request is not None and self.request.method not in {"GET", "HEAD", "OPTIONS"}
        return (self.write_serializer_class if is_write else None) or self.read_serializer_class

    def resource_of(self, row: Row) -> Resource:
        """Return what the row is to the access decision."""
        account_id = next(iter(ids_at(row, self.account_path)), None)
        if self.camera_path is None:
            return Resource(account_id, shows_cameras=False)
        return Resource(account_id, ids_at(row, self.camera_path))

    def get_for(self, action: Action) -> Row:
        """Return the row of this address, after making sure that the actor may do this to it."""
        row = self.get_object()
        require(self.actor, action, self.resource_of(row))
        return row

    def read(self, row: Row) -> dict[str, Any]:
        """Return how the row looks, read anew with the joins that reading needs."""
        fresh = self.get_queryset().get(pk=row.pk)
        return dict(self.read_serializer_class(fresh, context=self.get_serializer_context()).data)

    def validated(self, request: Request, row: Row | None = None) -> Mapping[str, Any]:
        """Return the checked body; with a row, only what is to change."""
        serializer = self.get_serializer(row, data=request.data, partial=row is not None)
        serializer.is_valid(raise_exception=True)
        data: Mapping[str, Any] = serializer.validated_data
        return data


class AccessReadOnlyViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, AccessViewSet[Row], Generic[Row]
):
    """Lists and shows."""

    http_method_names = [*READ_METHODS]


class AccessModelViewSet(AccessReadOnlyViewSet[Row], Generic[Row]):
    """Lists, shows, creates, changes (PATCH) and deletes."""

    http_method_names = [*READ_METHODS, "post", "patch", "delete"]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create one through `create_row`, which asks for the right itself: it knows account and cameras."""
        row = self.create_row(self.validated(request))
        return Response(self.read(row), status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_for(self.write_action)
        return Response(self.read(self.update_row(row, self.validated(request, row))))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.delete_row(self.get_for(self.write_action))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def create_row(self, data: Mapping[str, Any]) -> Row:
        """Call the service that creates; it must `require` the right in the account."""
        raise MethodNotAllowed("POST")

    def update_row(self, row: Row, data: Mapping[str, Any]) -> Row:
        """Call the service that changes."""
        raise MethodNotAllowed("PATCH")

    def delete_row(self, row: Row) -> None:
        """Call the service that deletes."""
        raise MethodNotAllowed("DELETE")


def chosen_account(data: Mapping[str, Any]) -> UUID | None:
    """Return the account named in a body, if it names one."""
    value = data.get("account")
    return value if isinstance(value, UUID) else None
