"""Rights as one SQL condition over rows of any table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Exists, OuterRef, Q

AnyModel = TypeVar("AnyModel", bound=models.Model)


@dataclass(frozen=True, slots=True)
class RowScope:
    """Whole accounts, single cameras of other accounts, and whether rows without an account are included."""

    accounts: frozenset[UUID]
    cameras: Mapping[UUID, frozenset[UUID]]
    with_site: bool = False


def rows_in(
    queryset: models.QuerySet[AnyModel], scope: RowScope, camera_path: str | None, account_path: str
) -> models.QuerySet[AnyModel]:
    """Return the rows inside the scope; an empty scope gives none, without asking the database."""
    condition = Q()
    if scope.accounts:
        condition |= Q(**{f"{account_path}__in": sorted(scope.accounts)})
    if scope.with_site:
        condition |= Q(**{f"{account_path}__isnull": True})
    if camera_path is not None:
        for account_id, camera_ids in scope.cameras.items():
            condition |= _limited(queryset.model, account_id, camera_ids, camera_path, account_path)
    return queryset.filter(condition) if condition else queryset.none()


def _limited(
    model: type[models.Model],
    account_id: UUID,
    camera_ids: frozenset[UUID],
    camera_path: str,
    account_path: str,
) -> Q:
    in_account = Q(**{account_path: account_id})
    kind, prefix, field = _end_of(model, camera_path)
    if kind == "list":
        listed = [str(camera_id) for camera_id in sorted(camera_ids)]
        return in_account & Q(**{f"{camera_path}__contained_by": listed}) & ~Q(**{camera_path: []})
    if kind == "many":
        return in_account & _all_related_in(field, prefix, camera_ids)
    return in_account & Q(**{f"{camera_path}__in": sorted(camera_ids)})


def _all_related_in(field: Any, prefix: str, camera_ids: frozenset[UUID]) -> Q:
    """At least one related camera, and none outside the set."""
    owner = {field.m2m_field_name(): OuterRef(f"{prefix}pk")}
    related = field.remote_field.through._default_manager.filter(**owner)
    camera = f"{field.m2m_reverse_field_name()}__in"
    return Q(Exists(related)) & ~Q(Exists(related.exclude(**{camera: sorted(camera_ids)})))


def _end_of(model: type[models.Model], path: str) -> tuple[str, str, Any]:
    """Return what a path leads to (one camera, a JSON list, a relation to many), its prefix and its field."""
    current = model
    prefix = ""
    field: Any = None
    for part in path.split("__"):
        field = _field_named(current, part)
        if field.many_to_many and not field.auto_created:
            return "many", prefix, field
        if field.many_to_many or field.one_to_many:
            # Any match would do for a plain lookup, where every camera must be allowed.
            raise ValueError(f"{path}: rights cannot be asked through the reverse relation {part!r}")
        prefix = f"{prefix}{part}__"
        current = field.related_model or current
    return ("list" if isinstance(field, models.JSONField) else "one"), prefix, field


def _field_named(model: type[models.Model], name: str) -> Any:
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        for field in model._meta.concrete_fields:
            if field.attname == name:
                return field
        raise


def ids_at(row: models.Model, path: str) -> frozenset[UUID]:
    """Return the ids that a lookup path leads to from one row; the paths are those of `rows_in`."""
    kind, prefix, field = _end_of(type(row), path)
    if kind == "many" and not prefix:
        return frozenset(getattr(row, field.name).values_list("pk", flat=True))
    value: Any = row
    for part in path.split("__"):
        value = getattr(value, part, None)
    if kind == "list":
        return frozenset(UUID(str(one)) for one in value or ())
    if isinstance(value, models.Model):
        value = value.pk
    return frozenset() if value is None else frozenset({value})
