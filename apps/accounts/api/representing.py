"""Loaders for `apps.core.representations`: rows as the API shows them, if the actor may see them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from rest_framework.serializers import BaseSerializer

from apps.accounts.access import Action, Actor, visible

QuerysetMaker = Callable[[], models.QuerySet[Any]]


def loader_for(
    make_queryset: QuerysetMaker,
    serializer_class: type[BaseSerializer[Any]],
    *,
    action: Action = Action.VIEW,
    camera_path: str | None = "camera_id",
    account_path: str = "account_id",
) -> Callable[[Iterable[UUID], Actor], Mapping[UUID, Mapping[str, Any]]]:
    """Return a loader that reads through `visible` and shows through the API's read serializer."""

    def load(ids: Iterable[UUID], actor: Actor) -> Mapping[UUID, Mapping[str, Any]]:
        rows = visible(actor, action, make_queryset().filter(pk__in=list(ids)), camera_path, account_path)
        return {row.pk: serializer_class(row).data for row in rows}

    return load
