"""A cookie that says "somebody has logged in with this name here before".

It proves nothing and opens nothing. It only gives this browser its own counter of tries, so that strangers
who try a name cannot keep its owner out.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

_SALT = "omma.device"
_KEPT_S = 365 * 24 * 3600


def device_for(request: HttpRequest, name: str) -> str:
    """Return the mark of this browser for that name, or nothing."""
    try:
        known = signing.loads(request.COOKIES.get(_cookie_name(), ""), salt=_SALT, max_age=_KEPT_S)
    except signing.BadSignature:
        return ""
    is_same = isinstance(known, dict) and known.get("name") == _folded(name)
    return str(known.get("mark", "")) if is_same else ""


def remember_device(response: HttpResponse, name: str) -> None:
    """Mark this browser for that name."""
    value = signing.dumps({"name": _folded(name), "mark": secrets.token_urlsafe(16)}, salt=_SALT)
    response.set_cookie(
        _cookie_name(),
        value,
        max_age=_KEPT_S,
        path=settings.LOGIN_URL,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie_name() -> str:
    return f"{settings.SESSION_COOKIE_NAME}_device"


def _folded(name: str) -> str:
    return name.strip().lower()
