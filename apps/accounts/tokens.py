"""API tokens, kept as a SHA-256 digest (they are 256 random bits: a slow hash would add nothing)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from apps.accounts.models import ApiToken

TOKEN_PREFIX = "omt_"  # noqa: S105 (how a token begins, no secret)
PREFIX_LENGTH = 12
_USE_IS_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A fresh token: shown once as `text`, stored as the other two."""

    text: str
    prefix: str
    digest: str


def new_secret() -> NewSecret:
    """Make a token's secret."""
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return NewSecret(text=text, prefix=text[:PREFIX_LENGTH], digest=digest_of(text))


def digest_of(text: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_token(text: str, *, now: datetime) -> ApiToken | None:
    """Return the token if it is valid now, with member, user and account; and note its use, coarsely."""
    if not text.startswith(TOKEN_PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("member__user", "member__account")
        .filter(digest=digest_of(text), revoked_at=None, session_epoch=F("member__user__session_epoch"))
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(member__user__is_active=True, member__account__is_active=True)
        .first()
    )
    if token is not None:
        _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    """Write the time of use at most every five minutes: a busy program must not write on every request."""
    stale = now - _USE_IS_NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > stale:
        return
    unnoted = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=stale), pk=token.pk)
    if unnoted.update(last_used_at=now):
        token.last_used_at = now
