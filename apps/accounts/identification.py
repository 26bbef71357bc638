"""From a request or a socket to its actor: `Authorization: Bearer omt_…` or `Basic …`, or a session."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.actors import ANONYMOUS, Actor, actor_of_token, actor_of_user
from apps.accounts.models import ApiToken, User
from apps.accounts.passwords import check_password_again
from apps.accounts.tokens import find_token
from apps.core.exceptions import NotAuthenticatedError

_REFUSED = "The login is not valid."
_CACHED = "_omma_actor"


@dataclass(frozen=True, slots=True)
class Login:
    """A person, and the token that they came with, if it was one."""

    user: User
    token: ApiToken | None = None


def login_of_header(header: str, *, address: str | None) -> Login | None:
    """Return who an `Authorization` header is; None when it is neither Bearer nor Basic, or absent.

    Raise `NotAuthenticatedError` for one that is wrong: it never falls back to a session.
    """
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return login_of_bearer(value.strip())
    if scheme.lower() == "basic":
        return login_of_basic(value.strip(), address=address)
    return None


def login_of_bearer(text: str) -> Login:
    """Return who a token is."""
    token = find_token(text, now=timezone.now())
    if token is None:
        raise NotAuthenticatedError(_REFUSED)
    return Login(user=token.member.user, token=token)


def login_of_basic(encoded: str, *, address: str | None) -> Login:
    """Return who a base64-coded `name:password` is; throttled."""
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as exc:  # no base64, or no UTF-8
        raise NotAuthenticatedError(_REFUSED) from exc
    user = (
        check_password_again(name=name, password=password, address=address, now=timezone.now())
        if colon
        else None
    )
    if user is None:
        raise NotAuthenticatedError(_REFUSED)
    return Login(user=user)


def actor_of(request: Any) -> Actor:
    """Return the actor of a Django request, an API request or a socket's scope; loaded once a request.

    Synchronous: async views use `actor_of_async`, consumers `actor_of_scope`.
    """
    if isinstance(request, dict):
        return _load_from_scope(request)
    plain: HttpRequest = getattr(request, "_request", request)
    return _actor_of_plain_request(plain) if request is plain else _actor_of_api_request(request, plain)


async def actor_of_async(request: Any) -> Actor:
    """Return the actor of a request, for async views; the thread's connection is given back."""
    actor: Actor = await database_sync_to_async(actor_of)(request)
    return actor


async def actor_of_scope(scope: Any) -> Actor:
    """Return a socket's actor, read afresh: ask again to notice a logout, a new password or a lost right."""
    actor: Actor = await database_sync_to_async(_load_from_scope)(scope)
    return actor


def address_of(request: HttpRequest) -> str | None:
    """Return the client's network address; behind a proxy that is trusted, the one that it tells."""
    return request.META.get("REMOTE_ADDR") or None


def _actor_of_api_request(request: Any, plain: HttpRequest) -> Actor:
    """The API framework has found out who it is; here it is only looked up what they may."""
    user = request.user if isinstance(request.user, User) else None
    token = request.auth if isinstance(request.auth, ApiToken) else None
    key = ("api", user and user.pk, token and token.pk)
    return _once(plain, key, lambda: _actor_of_login(user, token, address_of(plain)))


def _actor_of_plain_request(request: HttpRequest) -> Actor:
    header = request.headers.get("Authorization", "")
    user = getattr(request, "user", None)
    person = user if isinstance(user, User) else None
    return _once(request, (header, person and person.pk), lambda: _load_of_plain(request, header, person))


def _load_of_plain(request: HttpRequest, header: str, person: User | None) -> Actor:
    address = address_of(request)
    login = login_of_header(header, address=address)
    if login is not None:
        return _actor_of_login(login.user, login.token, address)
    return _actor_of_login(person, None, address)


def _once(request: HttpRequest, key: object, load: Callable[[], Actor]) -> Actor:
    """Load once a request; again only when the request meanwhile became somebody else's (a login)."""
    cached: tuple[object, Actor] | None = getattr(request, _CACHED, None)
    if cached is not None and cached[0] == key:
        return cached[1]
    actor = load()
    setattr(request, _CACHED, (key, actor))
    return actor


def _actor_of_login(user: User | None, token: ApiToken | None, address: str | None) -> Actor:
    if token is not None:
        return actor_of_token(token, address=address)
    return actor_of_user(user, address=address) if user is not None else ANONYMOUS


def _load_from_scope(scope: Any) -> Actor:
    headers: dict[bytes, bytes] = dict(scope.get("headers", ()))
    address = scope["client"][0] if scope.get("client") else None
    login = login_of_header(headers.get(b"authorization", b"").decode("latin-1"), address=address)
    if login is not None:
        return _actor_of_login(login.user, login.token, address)
    return _actor_of_login(_user_of_cookie(headers.get(b"cookie", b"").decode("latin-1")), None, address)


def _user_of_cookie(header: str) -> User | None:
    try:
        morsel = SimpleCookie(header).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(request)  # checks the session's hash against the password and the session epoch
    return user if isinstance(user, User) else None
