"""Who acts: a snapshot of a login and of everything it may, taken in a fixed number of queries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.accounts.models import ApiToken, Grant, GrantScope, Member, Role, User
from apps.core.audit import ActorRef

GroupResolver = Callable[[Iterable[UUID]], Mapping[UUID, Iterable[UUID]]]

_RANKS = {Role.VIEWER.value: 1, Role.OPERATOR.value: 2, Role.ADMIN.value: 3}


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    TOKEN = "token"  # noqa: S105 (a kind, no secret)
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class CameraRight:
    """A role for one camera, until a time or for good."""

    role: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Membership:
    """What an actor is in one account. `cameras` counts only without `sees_all_cameras`."""

    account_id: UUID
    member_id: UUID
    role: str
    sees_all_cameras: bool
    cameras: Mapping[UUID, tuple[CameraRight, ...]]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something. Frozen: long-lived holders (sockets) load a new one now and then."""

    kind: ActorKind
    id: UUID | None = None
    name: str = ""
    user_id: UUID | None = None
    is_superuser: bool = False
    memberships: tuple[Membership, ...] = ()
    until: datetime | None = None  # the login itself ends then (a token's expiry)
    address: str | None = None

    @property
    def is_authenticated(self) -> bool:
        return self.kind is not ActorKind.ANONYMOUS

    def ref(self) -> ActorRef:
        """Return the plain values for the audit trail."""
        return ActorRef(kind=self.kind.value, id=self.id, name=self.name, address=self.address)

    def membership_in(self, account_id: UUID) -> Membership | None:
        return next((one for one in self.memberships if one.account_id == account_id), None)


ANONYMOUS = Actor(kind=ActorKind.ANONYMOUS)


def system_actor(name: str = "Omma") -> Actor:
    """Return the actor of the program itself: the command line, beat and the workers."""
    return Actor(kind=ActorKind.SYSTEM, name=name, is_superuser=True)


def rank_of(role: str) -> int:
    """Return how much a role may; a higher one may all that a lower one may."""
    return _RANKS[role]


def lower_role(one: str, other: str) -> str:
    """Return the role of the two that may less."""
    return min(one, other, key=rank_of)


def actor_of_user(user: User, *, address: str | None = None) -> Actor:
    """Return the actor that a person is, in all of their accounts."""
    if not user.is_active:
        return ANONYMOUS
    members = Member.objects.filter(user=user, account__is_active=True).order_by("account__created_at", "id")
    return Actor(
        kind=ActorKind.USER,
        id=user.pk,
        name=user.get_username(),
        user_id=user.pk,
        is_superuser=user.is_superuser,
        memberships=_memberships(list(members), cap=Role.ADMIN.value),
        address=address,
    )


def actor_of_token(token: ApiToken, *, address: str | None = None) -> Actor:
    """Return the actor that a token is: its member's account only, its role at most, never a superuser."""
    member = token.member
    if not (member.user.is_active and member.account.is_active):
        return ANONYMOUS
    return Actor(
        kind=ActorKind.TOKEN,
        id=token.pk,
        name=f"{member.user.get_username()} · {token.name}",
        user_id=member.user_id,
        memberships=_memberships([member], cap=token.role),
        until=token.expires_at,
        address=address,
    )


def at_address(actor: Actor, address: str | None) -> Actor:
    """Return the same actor as coming from this network address."""
    return replace(actor, address=address)


_group_resolvers: list[GroupResolver] = []


def register_group_resolver(resolver: GroupResolver) -> None:
    """Say who knows which cameras are in a group (`{group id: camera ids}`); `apps.cameras` does."""
    _group_resolvers[:] = [resolver]


def _memberships(members: list[Member], *, cap: str) -> tuple[Membership, ...]:
    limited = [member.pk for member in members if not member.sees_all_cameras]
    grants = list(Grant.objects.filter(member__in=limited)) if limited else []
    groups = _cameras_of_groups(grants)
    return tuple(
        _membership(member, [g for g in grants if g.member_id == member.pk], groups, cap)
        for member in members
    )


def _membership(
    member: Member, grants: list[Grant], groups: Mapping[UUID, Iterable[UUID]], cap: str
) -> Membership:
    role = lower_role(member.role, cap)
    cameras: dict[UUID, tuple[CameraRight, ...]] = {}
    for grant in grants:
        right = CameraRight(role=lower_role(grant.role, role), until=grant.until)
        is_group = grant.scope_kind == GrantScope.GROUP
        for camera_id in groups.get(grant.scope_id, ()) if is_group else (grant.scope_id,):
            cameras[camera_id] = (*cameras.get(camera_id, ()), right)
    return Membership(
        account_id=member.account_id,
        member_id=member.pk,
        role=role,
        sees_all_cameras=member.sees_all_cameras,
        cameras=cameras,
    )


def _cameras_of_groups(grants: list[Grant]) -> Mapping[UUID, Iterable[UUID]]:
    group_ids = {grant.scope_id for grant in grants if grant.scope_kind == GrantScope.GROUP}
    if not group_ids or not _group_resolvers:
        return {}
    return _group_resolvers[0](group_ids)
