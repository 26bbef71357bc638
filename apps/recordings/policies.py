"""What administrators decide about retention."""

from django.db import IntegrityError, transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core import audit
from apps.core.exceptions import ConflictError
from apps.recordings.models import RetentionPolicy

_ONCE = "retention_once"


@transaction.atomic
def create_policy(
    *, actor: Actor, account: Account, camera: Camera | None = None, **limits: int
) -> RetentionPolicy:
    """Set limits (`max_age_hours`, `max_bytes`) for a camera, or for an account's cameras together."""
    policy = RetentionPolicy(account=account, camera=camera, **limits)
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError as error:
        if _ONCE not in str(error):
            raise
        raise ConflictError("There is a policy for this already.", field="camera") from error
    _record(actor, "create", policy)
    return policy


@transaction.atomic
def update_policy(*, actor: Actor, policy: RetentionPolicy, **limits: int) -> RetentionPolicy:
    """Change limits."""
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    locked = RetentionPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
    for name, value in limits.items():
        setattr(locked, name, value)
    locked.save()
    _record(actor, "update", locked)
    return locked


@transaction.atomic
def delete_policy(*, actor: Actor, policy: RetentionPolicy) -> None:
    """Go back to the account's limits, or to the defaults."""
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    _record(actor, "delete", policy)
    RetentionPolicy.objects.filter(pk=policy.pk).delete()


def _resource(policy: RetentionPolicy) -> Resource:
    return Resource(policy.account_id, frozenset({policy.camera_id}) if policy.camera_id else frozenset())


def _record(actor: Actor, verb: str, policy: RetentionPolicy) -> None:
    audit.record(
        actor.ref(),
        f"retention_policy.{verb}",
        subject_kind="retention_policy",
        subject_id=policy.pk,
        subject_name=str(policy),
        account_id=policy.account_id,
        detail={"max_age_hours": policy.max_age_hours, "max_bytes": policy.max_bytes},
    )
