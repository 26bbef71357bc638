"""Accounts and members: each verb is one transaction, one audit entry and one piece of news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.actors import rank_of
from apps.accounts.models import Account, Grant, Member, Role, User
from apps.accounts.scopes import is_in_account
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, ForbiddenError, InvalidInputError


@dataclass(frozen=True, slots=True)
class GrantWanted:
    """A camera or group that a limited member shall see."""

    scope_kind: str
    scope_id: UUID
    role: str = Role.VIEWER.value
    until: datetime | None = None


@transaction.atomic
def create_account(*, actor: Actor, name: str, time_zone: str = "UTC") -> Account:
    """Create a tenant; only a superuser may."""
    if not actor.is_superuser:
        raise ForbiddenError("Only a superuser may create accounts.")
    account = Account(name=name, time_zone=time_zone)
    _check_account(account)
    account.save(force_insert=True)
    _tell(actor, "account.created", account.pk, account.pk, account.name)
    return account


@transaction.atomic
def change_account(*, actor: Actor, account: Account, changes: dict[str, str]) -> Account:
    """Change an account's `name` or `time_zone`."""
    require(actor, Action.MANAGE_MEMBERS, Resource(account.pk))
    for field in ("name", "time_zone"):
        if field in changes:
            setattr(account, field, changes[field])
    _check_account(account)
    account.save(update_fields=["name", "time_zone", "updated_at"])
    _tell(actor, "account.updated", account.pk, account.pk, account.name)
    return account


@transaction.atomic
def add_member(
    *,
    actor: Actor,
    account: Account,
    username: str,
    role: str = Role.VIEWER.value,
    sees_all_cameras: bool = True,
    password: str = "",
    grants: Sequence[GrantWanted] = (),
) -> Member:
    """Add a person to an account: one who is there already, or, with a password, a new one."""
    require(actor, Action.MANAGE_MEMBERS, Resource(account.pk))
    user = User.objects.filter(username=username).first() or _create_user(username, password)
    if Member.objects.filter(account=account, user=user).exists():
        raise ConflictError(f"{username} is a member already.", field="username")
    member = Member(account=account, user=user, role=role, sees_all_cameras=sees_all_cameras)
    member.full_clean()
    member.save(force_insert=True)
    _replace_grants(member, grants)
    _tell(actor, "member.created", account.pk, member.pk, username, {"role": role})
    return member


@transaction.atomic
def change_member(
    *,
    actor: Actor,
    member: Member,
    role: str | None = None,
    sees_all_cameras: bool | None = None,
    grants: Sequence[GrantWanted] | None = None,
) -> Member:
    """Change what a member may; an account keeps at least one administrator who sees everything."""
    require(actor, Action.MANAGE_MEMBERS, Resource(member.account_id))
    _lock_members(member.account_id)
    member = Member.objects.select_related("user").get(pk=member.pk)
    member.role = member.role if role is None else role
    if sees_all_cameras is not None:
        member.sees_all_cameras = sees_all_cameras
    member.full_clean()
    member.save(update_fields=["role", "sees_all_cameras", "updated_at"])
    _keep_one_administrator(member.account_id)
    if grants is not None:
        _replace_grants(member, grants)
    detail: dict[str, object] = {"role": member.role, "sees_all_cameras": member.sees_all_cameras}
    _tell(actor, "member.updated", member.account_id, member.pk, member.user.get_username(), detail)
    return member


@transaction.atomic
def remove_member(*, actor: Actor, member: Member) -> None:
    """Take a person out of an account, with their grants and tokens there; the person's login stays."""
    require(actor, Action.MANAGE_MEMBERS, Resource(member.account_id))
    _lock_members(member.account_id)
    member_id, account_id, name = member.pk, member.account_id, member.user.get_username()
    member.delete()
    _keep_one_administrator(account_id)
    _tell(actor, "member.deleted", account_id, member_id, name)


def _check_account(account: Account) -> None:
    if account.time_zone not in available_timezones():
        raise InvalidInputError("There is no such time zone.", field="time_zone")
    account.full_clean()


def _create_user(username: str, password: str) -> User:
    if not password:
        raise InvalidInputError("A new person needs a password.", field="password")
    user = User(username=username)
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InvalidInputError(" ".join(exc.messages), fields={"password": exc.messages}) from exc
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as exc:
        raise InvalidInputError(" ".join(exc.messages), fields=exc.message_dict) from exc
    user.save(force_insert=True)
    return user


def _replace_grants(member: Member, grants: Sequence[GrantWanted]) -> None:
    for index, wanted in enumerate(grants):
        _check_grant(member, wanted, f"grants.{index}")
    member.grants.all().delete()
    Grant.objects.bulk_create(
        Grant(
            member=member,
            scope_kind=wanted.scope_kind,
            scope_id=wanted.scope_id,
            role=wanted.role,
            until=wanted.until,
        )
        for wanted in grants
    )


def _check_grant(member: Member, wanted: GrantWanted, field: str) -> None:
    if rank_of(wanted.role) > rank_of(member.role):
        raise InvalidInputError(f"A grant cannot exceed the role {member.role}.", field=f"{field}.role")
    if not is_in_account(wanted.scope_kind, wanted.scope_id, member.account_id):
        raise InvalidInputError(f"There is no such {wanted.scope_kind}.", field=f"{field}.scope_id")


def _lock_members(account_id: UUID) -> None:
    """One change of an account's members at a time: two administrators must not demote each other at once."""
    Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _keep_one_administrator(account_id: UUID) -> None:
    left = Member.objects.filter(
        account_id=account_id, role=Role.ADMIN, sees_all_cameras=True, user__is_active=True
    )
    if not left.exists():
        raise ConflictError("An account needs one administrator who sees all cameras.")


def _tell(
    actor: Actor,
    what: str,
    account_id: UUID,
    subject_id: UUID,
    name: str,
    detail: dict[str, object] | None = None,
) -> None:
    kind = what.partition(".")[0]
    audit.record(
        actor.ref(),
        what,
        subject_kind=kind,
        subject_id=subject_id,
        subject_name=name,
        account_id=account_id,
        detail=detail,
    )
    outbox.publish(what, subject_kind=kind, subject_id=subject_id, account_id=account_id)
