"""Which pages may open a socket: those that this very server has sent."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class SameOrigin:
    """Refuses a socket to an unknown host name, or from a page of another origin.

    Browsers send cookies with a socket from any page, and to them two ports of one host are the same site. A
    client that sends no `Origin` is no browser; it has to bring a login of its own.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]}
        if is_same_origin(headers.get("host", ""), headers.get("origin")):
            await self._application(scope, receive, send)
        else:
            await refuse(scope, receive, send)


def is_same_origin(host: str, origin: str | None) -> bool:
    """Tell whether a request to this host may come from this origin."""
    domain, _ = split_domain_port(host.lower())
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin.lower())
    return parts.scheme in {"http", "https"} and parts.netloc == host.lower()


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a socket with 403 before it opens."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})
