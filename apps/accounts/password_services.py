"""Setting passwords, which ends what was logged in with the old one, and the first administrator."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, may
from apps.accounts.models import Account, ApiToken, Member, Role, User
from apps.accounts.passwords import check_password
from apps.accounts.token_services import refuse_tokens
from apps.core import audit
from apps.core.exceptions import InvalidInputError, NotVisibleError

ADMINISTRATOR = "admin"
FIRST_ACCOUNT = "Home"


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who can log in on a fresh Omma; `password` only when it was made up just now."""

    user: User
    account: Account
    password: str = ""


def change_own_password(
    *, actor: Actor, user: User, old_password: str, new_password: str, now: datetime
) -> None:
    """Change one's password, knowing the old one; every other session and all tokens end."""
    refuse_tokens(actor)
    if user.pk != actor.user_id:
        raise NotVisibleError
    # Outside the transaction: a wrong try stays counted when this fails.
    known = check_password(name=user.get_username(), password=old_password, address=actor.address, now=now)
    if known is None or known.pk != user.pk:
        raise InvalidInputError("This is not your password.", field="old_password")
    _set_password(actor, user, new_password, "user.changed_password")


def reset_password(*, actor: Actor, user: User, new_password: str) -> None:
    """Set somebody's password: a superuser anybody's, an administrator of people in their accounts only."""
    refuse_tokens(actor)
    if not actor.is_superuser and not _is_wholly_managed_by(actor, user):
        raise NotVisibleError
    _set_password(actor, user, new_password, "user.reset_password")


@transaction.atomic
def end_sessions(*, actor: Actor, user: User) -> None:
    """Log a person out everywhere and revoke their tokens."""
    if user.pk != actor.user_id and not actor.is_superuser:
        raise NotVisibleError
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    _revoke_tokens(user)
    audit.record(
        actor.ref(),
        "user.ended_sessions",
        subject_kind="user",
        subject_id=user.pk,
        subject_name=user.username,
    )


@transaction.atomic
def first_administrator(*, password: str = "") -> FirstAdministrator:
    """Return the administrator and the account that every Omma has; make them the first time.

    Without a password one is made up; it is in the answer of that call and nowhere else.
    """
    account = Account.objects.order_by("created_at", "id").first() or Account.objects.create(
        name=FIRST_ACCOUNT
    )
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined").first()
    if user is not None:
        return FirstAdministrator(user, account)
    made_up = "" if password else secrets.token_urlsafe(12)
    user = User.objects.create_superuser(ADMINISTRATOR, password=password or made_up)
    Member.objects.create(account=account, user=user, role=Role.ADMIN)
    audit.record(
        audit.SYSTEM, "user.created", subject_kind="user", subject_id=user.pk, subject_name=user.username
    )
    return FirstAdministrator(user, account, made_up)


@transaction.atomic
def _set_password(actor: Actor, user: User, password: str, action: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InvalidInputError(" ".join(exc.messages), fields={"new_password": exc.messages}) from exc
    user.set_password(password)  # raises the session epoch too
    user.save(update_fields=["password", "session_epoch"])
    _revoke_tokens(user)
    audit.record(actor.ref(), action, subject_kind="user", subject_id=user.pk, subject_name=user.username)


def _revoke_tokens(user: User) -> None:
    """They have ended with the session epoch already; this says so in the list."""
    ApiToken.objects.filter(member__user=user, revoked_at=None).update(revoked_at=timezone.now())


def _is_wholly_managed_by(actor: Actor, user: User) -> bool:
    """Whether the actor manages every account of this person; else a reset would open foreign ones."""
    if user.is_superuser or user.is_staff:
        return False
    accounts = list(Member.objects.filter(user=user).values_list("account_id", flat=True))
    return bool(accounts) and all(may(actor, Action.MANAGE_MEMBERS, Resource(one)) for one in accounts)
