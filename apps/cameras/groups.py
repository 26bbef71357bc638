"""Camera groups: who is in them, for grants, and the verbs that change them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.cameras.models import Camera, CameraGroup
from apps.core import audit
from apps.core.exceptions import ConflictError, InvalidInputError


def cameras_of_groups(group_ids: Iterable[UUID]) -> Mapping[UUID, Iterable[UUID]]:
    """Return the cameras of each group, in one query."""
    members: dict[UUID, list[UUID]] = {}
    rows = CameraGroup.cameras.through.objects.filter(cameragroup_id__in=list(group_ids))
    for group_id, camera_id in rows.values_list("cameragroup_id", "camera_id"):
        members.setdefault(group_id, []).append(camera_id)
    return members


def owners_of_cameras(camera_ids: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Return the account of each camera that exists."""
    return dict(Camera.objects.filter(pk__in=list(camera_ids)).values_list("pk", "account_id"))


def owners_of_groups(group_ids: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Return the account of each group that exists."""
    return dict(CameraGroup.objects.filter(pk__in=list(group_ids)).values_list("pk", "account_id"))


@transaction.atomic
def create_group(*, actor: Actor, account: Account, name: str, cameras: Sequence[UUID] = ()) -> CameraGroup:
    """Create a group of cameras of one account."""
    require(actor, Action.MANAGE_CAMERAS, Resource(account.pk))
    _refuse_taken_name(account.pk, name, None)
    group = CameraGroup.objects.create(account=account, name=name)
    _set_cameras(group, cameras)
    _audit(actor, "camera_group.created", group)
    return group


@transaction.atomic
def update_group(
    *, actor: Actor, group: CameraGroup, name: str | None = None, cameras: Sequence[UUID] | None = None
) -> CameraGroup:
    """Rename a group or say anew who is in it."""
    require(actor, Action.MANAGE_CAMERAS, Resource(group.account_id))
    if name is not None:
        _refuse_taken_name(group.account_id, name, group.pk)
        group.name = name
        group.save(update_fields=["name", "updated_at"])
    if cameras is not None:
        _set_cameras(group, cameras)
    _audit(actor, "camera_group.updated", group)
    return group


@transaction.atomic
def delete_group(*, actor: Actor, group: CameraGroup) -> None:
    """Delete a group; its cameras stay."""
    require(actor, Action.MANAGE_CAMERAS, Resource(group.account_id))
    _audit(actor, "camera_group.deleted", group)
    group.delete()


def _refuse_taken_name(account_id: UUID, name: str, own_id: UUID | None) -> None:
    taken = CameraGroup.objects.filter(account_id=account_id, name=name)
    if own_id is not None:
        taken = taken.exclude(pk=own_id)
    if taken.exists():
        raise ConflictError(f"There is a group {name!r} already.", field="name")


def _set_cameras(group: CameraGroup, camera_ids: Sequence[UUID]) -> None:
    own = Camera.objects.filter(account_id=group.account_id, pk__in=camera_ids)
    if own.count() != len(set(camera_ids)):
        raise InvalidInputError("There is no such camera in this account.", field="cameras")
    group.cameras.set(own)


def _audit(actor: Actor, action: str, group: CameraGroup) -> None:
    audit.record(
        actor.ref(),
        action,
        subject_kind="camera_group",
        subject_id=group.pk,
        subject_name=group.name,
        account_id=group.account_id,
    )
