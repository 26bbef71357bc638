"""How API requests log in. Each class is a thin door to `apps.accounts.identification`."""

from collections.abc import Iterator
from contextlib import contextmanager

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from apps.accounts.identification import address_of, login_of_basic, login_of_bearer
from apps.accounts.models import ApiToken, User
from apps.core.api.envelope import challenge_for
from apps.core.exceptions import NotAuthenticatedError, ThrottledError


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer omt_…`. First in the list: its challenge makes "no login" a 401."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        value = _value_after(request, b"bearer")
        if value is None:
            return None
        with _framework_errors():
            login = login_of_bearer(value)
        return login.user, login.token

    def authenticate_header(self, request: Request) -> str:
        return challenge_for(request)


class PasswordAuthentication(BaseAuthentication):
    """`Authorization: Basic …`, throttled."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        value = _value_after(request, b"basic")
        if value is None:
            return None
        with _framework_errors():
            login = login_of_basic(value, address=address_of(request._request))
        return login.user, None

    def authenticate_header(self, request: Request) -> str:
        return challenge_for(request)


class BrowserSessionAuthentication(SessionAuthentication):
    """A logged-in browser; unsafe methods need the CSRF token."""

    def authenticate_header(self, request: Request) -> str:
        return challenge_for(request)


@contextmanager
def _framework_errors() -> Iterator[None]:
    """The browsable API asks again who it is while it renders the refusal; only these errors let it."""
    try:
        yield
    except NotAuthenticatedError as exc:
        raise AuthenticationFailed(exc.message) from exc
    except ThrottledError as exc:
        raise Throttled(wait=exc.retry_after_s, detail=exc.message) from exc


def _value_after(request: Request, scheme: bytes) -> str | None:
    found, _, value = get_authorization_header(request).strip().partition(b" ")
    return value.strip().decode("latin-1") if found.lower() == scheme else None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "omt_…"}


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PasswordAuthentication
    name = "password"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BrowserSessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        # The cookie's name carries the port, which a committed schema must not depend on.
        return {"type": "apiKey", "in": "cookie", "name": "omma_session"}
