"""Who asks an agent, and whose streams it shows them.

An agent serves every account that its caller is in; a token belongs to one, and so does an address with an
account's id. `Luna-Account-Id` and `account_id` choose among these, and are never a login.
"""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from apps.accounts.access import Action, Actor, Resource, actor_of, may
from apps.accounts.models import Account
from apps.core.exceptions import ForbiddenError, NotAuthenticatedError
from apps.dialects.boxes import Scope, is_token, login_scope, named_account
from apps.dialects.luna.errors import BAD_ACCOUNT, FORBIDDEN, NO_ACCOUNT, LunaError

HEADER = "Luna-Account-Id"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `account_id` is the only account that this agent shows them, or None for all of theirs."""

    actor: Actor
    scope: Scope
    account_id: UUID | None = None


def caller_of(request: HttpRequest, key: str) -> Caller:
    """Return who asks.

    Raises:
        NotAuthenticatedError: there is no login, or one that is not valid.
        NotVisibleError: the account in the address is absent or somebody else's.
        ForbiddenError: a browser's cookie is all that there is, and another page may have sent it.
    """
    caller = caller_in(login_scope(request, key), key)
    is_by_cookie = not is_token(key) and "Authorization" not in request.headers
    if is_by_cookie and request.method not in SAFE:
        _refuse_forged(request)
    return caller


def caller_in(scope: Scope, key: str) -> Caller:
    """Return who is behind a connection; see `caller_of`."""
    actor = actor_of(scope)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    if not key:
        return Caller(actor, scope)
    if is_token(key):
        return Caller(actor, scope, next((one.account_id for one in actor.memberships), None))
    return Caller(actor, scope, named_account(actor, key).pk)


def account_of_header(request: HttpRequest, caller: Caller) -> Account:
    """Return the account that something new goes to: `Luna-Account-Id`, where the caller may go there."""
    text = request.headers.get(HEADER)
    if text is None:
        raise LunaError(NO_ACCOUNT, "Luna-Account-Id header not found")
    try:
        account_id = UUID(text)
    except ValueError:
        form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
        raise LunaError(BAD_ACCOUNT, f"Luna-Account-Id header is not UUID format: {form}") from None
    account = Account.objects.filter(pk=account_id).first() if reaches(caller, account_id) else None
    if account is None:
        raise LunaError(FORBIDDEN, "Luna-Account-Id is not an account of this login")
    return account


def reaches(caller: Caller, account_id: UUID) -> bool:
    """Tell whether an account is one that this agent shows the caller."""
    if caller.account_id is not None and caller.account_id != account_id:
        return False
    return bool(may(caller.actor, Action.VIEW, Resource(account_id, shows_cameras=False)))


def _refuse_forged(request: HttpRequest) -> None:
    """Ask for the token that only a page of ours can send along."""
    check = _ForgeryCheck(lambda _: HttpResponse())
    check.process_request(request)
    if check.process_view(request, HttpResponse, (), {}) is not None:
        raise ForbiddenError("A page has to send its CSRF token.")


class _ForgeryCheck(CsrfViewMiddleware):
    """Django's check, of which only the outcome is used."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)
