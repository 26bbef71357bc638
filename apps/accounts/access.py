"""The one decision: may this actor do this with that? Every route, socket, file and count asks here.

`may` answers for one resource, `visible` is the same answer as a filter over rows, `require` raises it.
What an actor may not even view does not exist for it: foreign and absent are both `NotVisibleError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from apps.accounts.actors import (
    ANONYMOUS,
    Actor,
    ActorKind,
    CameraRight,
    Membership,
    rank_of,
    register_group_resolver,
    system_actor,
)
from apps.accounts.identification import actor_of, actor_of_async, actor_of_scope
from apps.accounts.models import Role
from apps.accounts.row_filters import RowScope, rows_in
from apps.core.exceptions import ForbiddenError, NotAuthenticatedError, NotVisibleError

__all__ = [
    "ANONYMOUS",
    "Action",
    "Actor",
    "ActorKind",
    "Decision",
    "Resource",
    "actor_of",
    "actor_of_async",
    "actor_of_scope",
    "may",
    "register_group_resolver",
    "require",
    "system_actor",
    "visible",
]

AnyModel = TypeVar("AnyModel", bound=models.Model)


class Action(models.TextChoices):
    """What can be asked for; each needs a role (`ROLE_FOR`)."""

    VIEW = "view"
    PLAYBACK = "playback"
    CONTROL = "control"
    RECORD = "record"
    EDIT_RULES = "edit_rules"
    REVIEW = "review"
    MANAGE_CAMERAS = "manage_cameras"
    MANAGE_MODELS = "manage_models"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_RETENTION = "manage_retention"
    SEE_SYSTEM = "see_system"


ROLE_FOR: dict[Action, Role] = {
    Action.VIEW: Role.VIEWER,
    Action.PLAYBACK: Role.VIEWER,
    Action.CONTROL: Role.OPERATOR,
    Action.RECORD: Role.OPERATOR,
    Action.EDIT_RULES: Role.OPERATOR,
    Action.REVIEW: Role.OPERATOR,
    Action.MANAGE_CAMERAS: Role.ADMIN,
    Action.MANAGE_MODELS: Role.ADMIN,
    Action.MANAGE_MEMBERS: Role.ADMIN,
    Action.MANAGE_RETENTION: Role.ADMIN,
    Action.SEE_SYSTEM: Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for: an account, and the cameras it shows.

    No cameras means all of the account's, which only a member who sees all cameras may have. With
    `shows_cameras=False` it shows none (a model, the account's name): every member may view it. Without an
    account it belongs to the site: everybody with a login may view what shows no camera, and only a superuser
    may do more.
    """

    account_id: UUID | None
    camera_ids: frozenset[UUID] = frozenset()
    shows_cameras: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, why, and until when it stands (None: until something changes)."""

    allowed: bool
    reason: str
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.allowed


def may(actor: Actor, action: Action, resource: Resource, at: datetime | None = None) -> Decision:
    """Decide. `at` is now unless told; with several cameras the right is needed on each of them."""
    at = at or timezone.now()
    if not actor.is_authenticated:
        return Decision(False, "not logged in")
    if actor.until is not None and actor.until <= at:
        return Decision(False, "the login has expired")
    if actor.is_superuser:
        return Decision(True, "superuser", actor.until)
    if resource.account_id is None:
        return _decide_for_site(actor, action, resource)
    membership = actor.membership_in(resource.account_id)
    if membership is None:
        return Decision(False, "not a member of this account")
    return _decide_for_member(actor, membership, action, resource, at)


def require(actor: Actor, action: Action, resource: Resource, at: datetime | None = None) -> Decision:
    """Return the decision when it allows; else raise what the caller shall answer.

    `NotAuthenticatedError` without a login, `NotVisibleError` for what may not be viewed, `ForbiddenError`
    for what may be viewed and not this.
    """
    decision = may(actor, action, resource, at)
    if decision:
        return decision
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    if action is not Action.VIEW and may(actor, Action.VIEW, resource, at):
        raise ForbiddenError(f"You may not do this: {decision.reason}.")
    raise NotVisibleError


def visible(
    actor: Actor,
    action: Action,
    queryset: models.QuerySet[AnyModel],
    camera_path: str | None = "camera_id",
    account_path: str = "account_id",
    *,
    at: datetime | None = None,
) -> models.QuerySet[AnyModel]:
    """Return the rows for which `may` allows the action, as one filter; apply it before counting.

    `camera_path` leads to the camera's id: a column, a JSON list of ids, or a relation to several cameras, of
    which each must be allowed. Rows without a camera are account-wide. None: the rows show no cameras.
    """
    at = at or timezone.now()
    if not actor.is_authenticated or (actor.until is not None and actor.until <= at):
        return queryset.none()
    if actor.is_superuser:
        return queryset
    return rows_in(queryset, _scope(actor, action, camera_path, at), camera_path, account_path)


def _decide_for_site(actor: Actor, action: Action, resource: Resource) -> Decision:
    if action in {Action.VIEW, Action.PLAYBACK} and not resource.shows_cameras:
        return Decision(True, "shared by all accounts", actor.until)
    return Decision(False, "this belongs to the site")


def _decide_for_member(
    actor: Actor, membership: Membership, action: Action, resource: Resource, at: datetime
) -> Decision:
    wanted = rank_of(ROLE_FOR[action])
    if membership.sees_all_cameras or _is_shared_view(action, resource):
        allowed = rank_of(membership.role) >= wanted
        return Decision(allowed, f"the role is {membership.role}", actor.until)
    if not resource.camera_ids:
        return Decision(False, "this needs all cameras of the account")
    ends: list[datetime] = [actor.until] if actor.until else []
    for camera_id in resource.camera_ids:
        rights = _rights_now(membership.cameras.get(camera_id, ()), wanted, at)
        if not rights:
            return Decision(False, "no right on one of its cameras")
        if all(right.until for right in rights):
            ends.append(max(right.until for right in rights if right.until))
    return Decision(True, "granted", min(ends, default=None))


def _is_shared_view(action: Action, resource: Resource) -> bool:
    return not resource.shows_cameras and action in {Action.VIEW, Action.PLAYBACK}


def _rights_now(rights: Iterable[CameraRight], wanted: int, at: datetime) -> list[CameraRight]:
    return [one for one in rights if rank_of(one.role) >= wanted and (one.until is None or one.until > at)]


def _scope(actor: Actor, action: Action, camera_path: str | None, at: datetime) -> RowScope:
    """Return what `may` would allow, as sets of ids."""
    wanted = rank_of(ROLE_FOR[action])
    is_shared = camera_path is None and action in {Action.VIEW, Action.PLAYBACK}
    whole: set[UUID] = set()
    parts: dict[UUID, frozenset[UUID]] = {}
    for membership in actor.memberships:
        if membership.sees_all_cameras or is_shared:
            if rank_of(membership.role) >= wanted:
                whole.add(membership.account_id)
            continue
        cameras = frozenset(
            camera_id for camera_id, rights in membership.cameras.items() if _rights_now(rights, wanted, at)
        )
        if cameras:
            parts[membership.account_id] = cameras
    return RowScope(accounts=frozenset(whole), cameras=parts, with_site=is_shared)
