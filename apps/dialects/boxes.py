"""One account as a client of a dialect sees it: a device of its own, with a login.

The dialects know one device per host and hardly any logins. Here a device is an account. At the root it is
the account of whoever logs in (a person's first); below `/compat/<dialect>/<key>/` the key says it: an
account's id, which needs a login beside it, or a token, which is the login.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from apps.accounts.access import Action, Actor, Resource, actor_of, require
from apps.accounts.identification import address_of
from apps.accounts.models import Account
from apps.accounts.tokens import TOKEN_PREFIX
from apps.core.exceptions import NotAuthenticatedError, NotVisibleError

Scope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Box:
    """An account, who looks into it, and where their rights are read from afresh (`actor_of(scope)`)."""

    account: Account
    actor: Actor
    scope: Scope


def box_of(request: HttpRequest, key: str = "") -> Box:
    """Return the account that a request is about.

    Raises:
        NotAuthenticatedError: there is no login, or one that is not valid.
        NotVisibleError: the account is absent or somebody else's.
    """
    scope = login_scope(request, key)
    actor = actor_of(scope)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    account = _own_account(actor) if not key or is_token(key) else named_account(actor, key)
    return Box(account, actor, scope)


def is_token(key: str) -> bool:
    """Tell whether the key in an address is a token, and so the login itself."""
    return key.startswith(TOKEN_PREFIX)


def login_scope(request: HttpRequest, key: str = "") -> Scope:
    """Return who asks, as a connection says it; a token in the address stands for any other login."""
    address = address_of(request)
    client = (address, 0) if address else None
    if is_token(key):
        return {"headers": [(b"authorization", b"Bearer " + key.encode())], "client": client}
    names = [name for name in ("authorization", "cookie") if name in request.headers]
    headers = [(name.encode(), request.headers[name].encode("latin-1", "replace")) for name in names]
    return {"headers": headers, "client": client}


def named_account(actor: Actor, key: str) -> Account:
    """Return the account with this id; raise `NotVisibleError` for one that is absent or somebody else's."""
    try:
        account = Account.objects.filter(pk=UUID(key)).first()
    except ValueError:
        account = None
    require(actor, Action.VIEW, Resource(_found(account).pk, shows_cameras=False))
    return _found(account)


def _own_account(actor: Actor) -> Account:
    """Return the account of a token, or a person's first; without any, a superuser's is the oldest."""
    if actor.memberships:
        return Account.objects.get(pk=actor.memberships[0].account_id)
    accounts = Account.objects.filter(is_active=True).order_by("created_at", "id")
    account = accounts.first() if actor.is_superuser else None
    return _found(account)


def _found(account: Account | None) -> Account:
    if account is None:
        raise NotVisibleError
    return account
