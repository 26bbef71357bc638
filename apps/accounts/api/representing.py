"""Loaders for `apps.core.representations`: rows as the API shows them, if the actor may see them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.module_loading import import_string

from apps.accounts.access import Action, Actor, visible

QuerysetMaker = Callable[[], models.QuerySet[Any]]


def loader_for(
    make_queryset: QuerysetMaker,
    serializer: str,
    *,
    action: Action = Action.VIEW,
    camera_path: str | None = "camera_id",
    account_path: str = "account_id",
) -> Callable[[Iterable[UUID], Actor], Mapping[UUID, Mapping[str, Any]]]:
    """Return a loader that reads through `visible` and shows through the API's read serializer.

    It is named by its dotted path: only processes that show rows load the API.
    """

    def load(ids: Iterable[UUID], actor: Actor) -> Mapping[UUID, Mapping[str, Any]]:
        serializer_class = import_string(serializer)
        rows = visible(actor, action, make_queryset().filter(pk__in=list(ids)), camera_path, account_path)
        return {row.pk: serializer_class(row).data for row in rows}

    return load
