"""Making and revoking API tokens."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Action, Actor, ActorKind, Resource, may
from apps.accounts.actors import rank_of
from apps.accounts.models import ApiToken, Member, Role
from apps.accounts.tokens import new_secret
from apps.core import audit
from apps.core.exceptions import ForbiddenError, InvalidInputError, NotVisibleError


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    member: Member,
    name: str,
    role: str = Role.VIEWER.value,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for one's own membership; return it and its text, which cannot be read again."""
    refuse_tokens(actor)
    if member.user_id != actor.user_id:
        raise NotVisibleError
    if rank_of(role) > rank_of(member.role):
        raise InvalidInputError(f"A token cannot exceed your role {member.role}.", field="role")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInputError("This is in the past.", field="expires_at")
    secret = new_secret()
    token = ApiToken(
        member=member,
        name=name,
        prefix=secret.prefix,
        digest=secret.digest,
        role=role,
        expires_at=expires_at,
        session_epoch=member.user.session_epoch,
    )
    token.full_clean()
    token.save(force_insert=True)
    _record(actor, "token.created", token)
    return token, secret.text


@transaction.atomic
def revoke_token(*, actor: Actor, token: ApiToken) -> None:
    """End a token now: one's own, or anybody's in an account whose members one manages. Again is harmless."""
    is_own = token.member.user_id == actor.user_id
    if not is_own and not may(actor, Action.MANAGE_MEMBERS, Resource(token.member.account_id)):
        raise NotVisibleError
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _record(actor, "token.revoked", token)


def refuse_tokens(actor: Actor) -> None:
    """Logins are managed by people: a leaked token must not be able to make itself a successor."""
    if actor.kind is ActorKind.TOKEN:
        raise ForbiddenError("A token cannot do this; log in with name and password.")


def _record(actor: Actor, action: str, token: ApiToken) -> None:
    audit.record(
        actor.ref(),
        action,
        subject_kind="token",
        subject_id=token.pk,
        subject_name=f"{token.name} ({token.prefix}…)",
        account_id=token.member.account_id,
        detail={"role": token.role},
    )
