"""Callbacks: targets that belong to a stream or an analytic, and are told of it only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.access import Action, Actor, Resource, require
from apps.alerts.messages import DEFAULT
from apps.alerts.models import OwnerKind, Target, TargetKind, TargetState
from apps.alerts.outlets import Secret
from apps.alerts.services import set_values, tell
from apps.alerts.signing import new_key
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError

MAX_CALLBACKS = 10  # of a stream or analytic


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the owner's news go: `values` are those of a target, without cameras and wants."""

    address: str
    name: str = "callback"
    format: str = DEFAULT
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose callbacks they are, and the camera that they are about."""

    kind: OwnerKind
    id: UUID
    camera: Camera


@transaction.atomic
def set_callbacks(*, actor: Actor, owner: Owner, callbacks: Iterable[Callback]) -> list[Target]:
    """Say where the news of a stream or analytic go: exactly there."""
    camera = owner.camera
    require(actor, Action.MANAGE_CAMERAS, Resource(camera.account_id, frozenset({camera.pk})))
    wanted = list(callbacks)
    if len(wanted) > MAX_CALLBACKS:
        raise InvalidInputError(f"Expected at most {MAX_CALLBACKS} callbacks.", field="callbacks")
    Camera.objects.select_for_update(of=("self",), no_key=True).get(pk=camera.pk)
    Target.objects.filter(owner_kind=owner.kind, owner_id=owner.id).delete()
    return [_create_callback(actor, owner, callback) for callback in wanted]


def callbacks_of(owner_kind: OwnerKind, owner_id: UUID) -> QuerySet[Target]:
    """Return the callbacks of a stream or analytic, oldest first."""
    return Target.objects.filter(owner_kind=owner_kind, owner_id=owner_id).order_by("created_at", "id")


def _create_callback(actor: Actor, owner: Owner, callback: Callback) -> Target:
    target = Target(account_id=owner.camera.account_id, kind=TargetKind.HTTP)
    target.owner_kind, target.owner_id = owner.kind, owner.id
    values = {"per_minute": 6000, **callback.values}
    values |= {"address": callback.address, "name": callback.name, "format": callback.format}
    unknown = set(values) & {"wants", "cameras", "all_cameras"}
    if unknown:
        raise InvalidInputError("This cannot be set for a callback.", field=min(unknown))
    set_values(target, values, Secret("", new_key()))
    target.save(force_insert=True)
    target.cameras.set([owner.camera])
    TargetState.objects.create(target=target)
    tell(actor, target, "created", {"owner": f"{owner.kind} {owner.id}"})
    return target
