"""What a proxy says about the client counts from listed networks only, for requests and sockets alike."""

import ipaddress
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.core.middleware import SecureCookiesMiddleware
from omma import env
from omma.forwarding import TrustedProxies

PROXY, INNER = "10.0.0.2", "10.0.0.3"
NETWORKS = [ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::/8")]


def scope_of(peer: str | None, *forwarded: str, proto: str = "", kind: str = "http") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    scheme = "http" if kind == "http" else "ws"
    return {"type": kind, "client": [peer, 5] if peer else None, "scheme": scheme, "headers": headers}


def seen(scope: dict[str, Any]) -> tuple[Any, str]:
    async def nobody(scope: Any, receive: Any, send: Any) -> None: ...

    found = TrustedProxies(nobody, NETWORKS).true_scope(scope)
    return (found["client"] or [None])[0], found["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # what the client claimed itself stands before
        (["198.51.100.1", "203.0.113.7, 10.0.0.3"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["unknown"], PROXY),
        (["203.0.113.7, nonsense"], PROXY),
        (["nonsense, 10.0.0.3"], INNER),
        ([], PROXY),
    ],
)
def test_the_client_behind_our_proxies_is_found(forwarded: list[str], client: str) -> None:
    assert seen(scope_of(PROXY, *forwarded)) == (client, "http")


def test_strangers_cannot_say_who_they_are() -> None:
    assert seen(scope_of("203.0.113.9", "198.51.100.1", proto="https")) == ("203.0.113.9", "http")
    assert seen(scope_of(None, "198.51.100.1", proto="https")) == (None, "http")


def test_a_proxy_says_whether_it_was_https() -> None:
    assert seen(scope_of(PROXY, "203.0.113.7", proto="https"))[1] == "https"
    assert seen(scope_of(PROXY, "203.0.113.7", proto="https", kind="websocket"))[1] == "wss"
    assert seen(scope_of(PROXY, "203.0.113.7", proto="https, http"))[1] == "http"


@pytest.mark.parametrize("is_secure", [True, False])
def test_cookies_of_https_stay_on_https(is_secure: bool) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response.set_cookie("one", "1")
        return response

    response = SecureCookiesMiddleware(answer).process_response(
        request := RequestFactory().get("/", secure=is_secure), answer(request)
    )

    assert bool(response.cookies["one"]["secure"]) is is_secure


def test_a_network_that_is_none_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMMA_TRUSTED_PROXIES", "10.0.0.0/24, everyone")

    with pytest.raises(env.SettingError, match="OMMA_TRUSTED_PROXIES: 'everyone'"):
        env.read_networks("OMMA_TRUSTED_PROXIES")
