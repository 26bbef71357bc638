"""The URL map stays clear of the addresses that belong to the dialects."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import Resolver404

from omma.asgi import socket_routes

OURS = (
    "",
    "app/",
    "accounts/",
    "admin/",
    "api/v1/",
    "api/schema/",
    "api/docs/",
    "media/v1/",
    "static/",
    "ws/v1/",
)
RESERVED = [  # one example of each address that a dialect owns
    "/cameras/", "/cameras/1944301/streams/", "/1/streams", "/2/streams", "/2/ws", "/config", "/plugins",
    "/healthcheck", "/version", "/docs/spec", "/docs/dev", "/status", "/paths", "/video/stream",
    "/api/recordings", "/api/recordings/1", "/recordings/1/media", "/health", "/shutdown",
    "/skellycam/app/state", "/skellycam/websocket/connect", "/docs", "/cgi-bin/entry.cgi/system/login",
    "/api/v1/device/serial-port", "/storage/relay/x", "/ws/system/log", "/ws/", "/download/config.tar",
    "/v1/api/x", "/v2/api/x",
]  # fmt: skip


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yield every pattern of the map as text."""
    for entry in patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, here)
        else:
            yield here


def test_every_address_begins_with_one_of_ours() -> None:
    strangers = [
        route
        for route in walk(get_resolver().url_patterns)
        if route != "" and not route.startswith(tuple(prefix for prefix in OURS if prefix))
    ]

    assert strangers == []


@pytest.mark.parametrize("address", RESERVED)
def test_a_dialects_address_is_free(address: str) -> None:
    with pytest.raises(Resolver404):
        get_resolver().resolve(address)


@pytest.mark.parametrize("address", [address for address in RESERVED if "ws" in address])
def test_a_dialects_socket_is_free(address: str) -> None:
    assert [route for route in socket_routes if route.pattern.match(address.lstrip("/"))] == []


def test_the_root_leads_to_the_pages() -> None:
    response = Client().get("/")

    assert (response.status_code, response.headers["Location"]) == (302, "/app/")
