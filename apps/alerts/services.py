"""What people do with targets. Each verb is one transaction, asks for the right, and leaves a trace.

A target that is about cameras needs the right to edit rules on each of them, one about all cameras on the
whole account: it sends what it is told out of the house.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require, visible
from apps.accounts.models import Account
from apps.alerts import checks, outlets
from apps.alerts.models import (
    OwnerKind,
    Target,
    TargetKind,
    TargetState,
)
from apps.alerts.notices import TEST_NEWS
from apps.alerts.outlets import Secret
from apps.alerts.queueing import wake_senders
from apps.alerts.secrets import open_secret, seal_secret
from apps.alerts.signing import new_key
from apps.cameras.models import Camera
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, InvalidInputError

_SECRET = ("address", "authorization", "headers", "signing_key")
_OPTIONS = ("content_type", "timeout_s", "includes_picture")
_PLAIN = ("name", "is_enabled", "format", "wants", "per_minute", "digest_s", "late_s")
CHANGEABLE = frozenset({*_SECRET, *_OPTIONS, *_PLAIN, "all_cameras", "cameras", "format_options"})
MAX_TARGETS = 200  # of an account, callbacks not counted
MAX_CALLBACKS = 10  # of a stream or analytic


def visible_targets(actor: Actor, action: Action = Action.EDIT_RULES) -> QuerySet[Target]:
    """Return the targets that the actor may see: who may not change rules sees none."""
    return visible(actor, action, Target.objects.all(), camera_path="cameras")


def resource_of(target: Target) -> Resource:
    """Return a target as what is asked for: its cameras, or the whole account."""
    cameras = frozenset(camera.pk for camera in target.cameras.all())
    return Resource(target.account_id, frozenset() if target.all_cameras else cameras)


@transaction.atomic
def create_target(*, actor: Actor, account: Account, **values: Any) -> tuple[Target, str]:
    """Create a target and return it with its signing key, which is shown this once."""
    values.setdefault("address", "")
    target = Target(account=account, kind=_checked_kind(values.pop("kind", TargetKind.HTTP)))
    cameras = _set_cameras(target, values, account)
    require(actor, Action.EDIT_RULES, _resource(target, cameras))
    Account.objects.select_for_update().get(pk=account.pk)
    if Target.objects.filter(account=account, owner_kind=OwnerKind.NOBODY).count() >= MAX_TARGETS:
        raise ConflictError(f"An account has at most {MAX_TARGETS} targets.")
    secret = set_values(target, {"name": "", **values}, Secret("", new_key()))
    target.save(force_insert=True)
    target.cameras.set(cameras)
    TargetState.objects.create(target=target)
    tell(actor, target, "created")
    return target, secret.signing_key


@transaction.atomic
def update_target(*, actor: Actor, target: Target, **values: Any) -> Target:
    """Change a target; what is not given stays, its secrets too."""
    require(actor, Action.EDIT_RULES, resource_of(target))
    locked = _locked(target)
    _refuse_owned(locked)
    changed = sorted(values)
    if "cameras" in values or "all_cameras" in values:
        cameras = _set_cameras(locked, values, locked.account)
        require(actor, Action.EDIT_RULES, _resource(locked, cameras))
        locked.cameras.set(cameras)
    set_values(locked, values, open_secret(locked.secret))
    locked.save()
    if "address" in values or values.get("is_enabled"):
        _try_now(locked)
    tell(actor, locked, "updated", {"changed": changed})
    return locked


@transaction.atomic
def rotate_key(*, actor: Actor, target: Target) -> str:
    """Give a target a new signing key, and return it, this once."""
    require(actor, Action.EDIT_RULES, resource_of(target))
    locked = _locked(target)
    secret = open_secret(locked.secret)
    key = new_key()
    locked.secret = seal_secret(Secret(secret.address, key, secret.authorization, secret.headers))
    locked.save(update_fields=["secret", "updated_at"])
    tell(actor, locked, "updated", {"changed": ["signing_key"]})
    return key


@transaction.atomic
def delete_target(*, actor: Actor, target: Target) -> None:
    """Delete a target, with what waits for it and what was sent."""
    require(actor, Action.EDIT_RULES, resource_of(target))
    locked = _locked(target)
    tell(actor, locked, "deleted", {"waiting": locked.state.pending})
    locked.delete()


@transaction.atomic
def test_target(*, actor: Actor, target: Target) -> None:
    """Send a test, in its turn after what waits."""
    require(actor, Action.EDIT_RULES, resource_of(target))
    if not target.is_enabled:
        raise ConflictError("The target is off.")
    outbox.publish(
        TEST_NEWS,
        subject_kind="target",
        subject_id=target.pk,
        account_id=target.account_id,
        payload={"text": "This is a test.", "by": actor.name},
    )
    _try_now(target)
    audit.record(
        actor.ref(),
        TEST_NEWS,
        subject_kind="target",
        subject_id=target.pk,
        subject_name=target.name,
        account_id=target.account_id,
    )


def _try_now(target: Target) -> None:
    """End a pause: something has changed, or somebody is watching."""
    TargetState.objects.filter(target=target, next_at__isnull=False).update(next_at=timezone.now())
    wake_senders()


def _locked(target: Target) -> Target:
    return Target.objects.select_for_update(of=("self",)).select_related("account", "state").get(pk=target.pk)


def _refuse_owned(target: Target) -> None:
    if target.owner_kind:
        raise ConflictError(f"This is a callback: it is changed with its {target.owner_kind}.")


def _checked_kind(kind: str) -> str:
    if kind not in TargetKind.values:
        raise InvalidInputError("Expected http.", field="kind")
    return kind


def _set_cameras(target: Target, values: dict[str, Any], account: Account) -> list[Camera]:
    """Set what cameras it is about, and return those that are named."""
    target.all_cameras = bool(values.pop("all_cameras", False))
    wanted = values.pop("cameras", None)
    if wanted is None:
        wanted = list(target.cameras.all()) if not target._state.adding else []
    return checks.checked_cameras(wanted, account, all_cameras=target.all_cameras)


def set_values(target: Target, values: Mapping[str, Any], secret: Secret) -> Secret:
    """Check and set what is given, and seal what is secret; return that."""
    unknown = set(values) - CHANGEABLE
    if unknown:
        raise InvalidInputError("This cannot be set.", field=min(unknown))
    for name in _PLAIN:
        if name in values:
            setattr(target, name, checks.CHECKS[name](values[name]))
    outlet = outlets.outlet_for(target.kind)
    given = {name: values[name] for name in _OPTIONS if name in values}
    kept = {name: value for name, value in target.options.items() if name in _OPTIONS}
    options: dict[str, Any] = outlet.checked_options({**kept, **given})
    format_options = values.get("format_options", target.options.get("format", {}))
    target.options = {**options, "format": checks.checked_options(format_options)}
    changed = {name: values[name] for name in _SECRET if name in values}
    if changed or not target.place:
        secret = _changed(secret, changed)
        target.place = outlet.place_of(secret)
        target.secret = seal_secret(secret)
    return secret


def _changed(secret: Secret, changes: Mapping[str, Any]) -> Secret:
    return Secret(
        address=str(changes.get("address", secret.address)),
        signing_key=str(changes.get("signing_key") or secret.signing_key),
        authorization=checks.checked_texts(
            changes.get("authorization", secret.authorization), "authorization"
        ),
        headers=checks.checked_texts(changes.get("headers", secret.headers), "headers"),
    )


def _resource(target: Target, cameras: Iterable[Camera]) -> Resource:
    return Resource(target.account_id, frozenset(camera.pk for camera in cameras))


def tell(actor: Actor, target: Target, what: str, detail: dict[str, object] | None = None) -> None:
    audit.record(
        actor.ref(),
        f"target.{what}",
        subject_kind="target",
        subject_id=target.pk,
        subject_name=target.name,
        account_id=target.account_id,
        detail=detail,
    )
