"""What administrators decide about retention."""

from django.db import IntegrityError, transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core import audit
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.recordings.models import RetentionPolicy
from apps.streams.models import Stream

FIELDS = ("max_age_hours", "motion_age_hours", "event_age_hours", "max_bytes", "archive_after_hours")
MAX_HOURS = 24 * 3650
MAX_MOTION_HOURS = 24 * 90  # what moved is known for as long
_ONCE = "retention_once"


@transaction.atomic
def create_policy(
    *,
    actor: Actor,
    account: Account,
    camera: Camera | None = None,
    stream: Stream | None = None,
    **limits: int | None,
) -> RetentionPolicy:
    """Set limits (`FIELDS`) for a stream, for a camera, or for an account's cameras together."""
    if stream is not None:
        camera = camera or stream.camera
    policy = RetentionPolicy(account=account, camera=camera, stream=stream, **limits)
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    check(policy)
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
def update_policy(*, actor: Actor, policy: RetentionPolicy, **limits: int | None) -> RetentionPolicy:
    """Change limits."""
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    locked = RetentionPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
    for name, value in limits.items():
        setattr(locked, name, value)
    check(locked)
    locked.save()
    _record(actor, "update", locked)
    return locked


@transaction.atomic
def delete_policy(*, actor: Actor, policy: RetentionPolicy) -> None:
    """Go back to the account's limits, or to the defaults."""
    require(actor, Action.MANAGE_RETENTION, _resource(policy))
    _record(actor, "delete", policy)
    RetentionPolicy.objects.filter(pk=policy.pk).delete()


def check(policy: RetentionPolicy) -> None:
    """Refuse ages and sizes that make no sense, at their fields."""
    if policy.stream is not None and policy.camera_id not in {None, policy.stream.camera_id}:
        raise InvalidInputError("This stream is another camera's.", field="stream")
    if policy.camera is not None and policy.camera.account_id != policy.account_id:
        raise InvalidInputError("This camera is another account's.", field="camera")
    most = {"motion_age_hours": MAX_MOTION_HOURS, "max_bytes": (1 << 63) - 1}
    for name in FIELDS:
        value = getattr(policy, name)
        if value is None and name in {"max_age_hours", "max_bytes"}:
            raise InvalidInputError("Expected a number.", field=name)
        if value is not None and not 1 <= value <= most.get(name, MAX_HOURS):
            raise InvalidInputError(f"Expected 1 to {most.get(name, MAX_HOURS)}.", field=name)
    for name in ("motion_age_hours", "event_age_hours"):
        value = getattr(policy, name)
        if value is not None and value < policy.max_age_hours:
            message = "It cannot be shorter than what is kept of all footage."
            raise InvalidInputError(message, field=name)


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
        detail={name: getattr(policy, name) for name in FIELDS},
    )
