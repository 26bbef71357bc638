"""The URL map: ours and the dialects' addresses never answer in each other's place."""

from collections.abc import Iterator
from importlib import import_module, reload

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, clear_url_caches, get_resolver
from django.urls.exceptions import Resolver404
from pytest_django import Settings

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
DIALECTS = ("compat/", "status", "paths", "video/stream", "api/recordings", "recordings/")
SPOKEN = [  # one example of each address that a dialect answers at the root
    "/status", "/paths", "/video/stream", "/api/recordings", "/api/recordings/stats", "/api/recordings/1",
    "/api/recordings/file/x.mp4", "/recordings/x.mp4", "/recordings/1/media",
]  # fmt: skip
LUNA = [
    "/2/streams",
    "/1/videosdk",
    "/config",
    "/plugins",
    "/healthcheck",
    "/version",
    "/docs/spec",
    "/docs/dev",
]
RESERVED = [  # one example of each address that a dialect owns and does not answer by default
    "/cameras/", "/cameras/1944301/streams/", "/1/streams", "/2/streams", "/2/ws", "/config", "/plugins",
    "/healthcheck", "/version", "/docs/spec", "/docs/dev", "/health", "/shutdown",
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
        if route != "" and not route.startswith(tuple(prefix for prefix in (*OURS, *DIALECTS) if prefix))
    ]

    assert strangers == []


@pytest.mark.parametrize("address", RESERVED)
def test_a_dialects_address_is_free(address: str) -> None:
    with pytest.raises(Resolver404):
        get_resolver().resolve(address)


@pytest.mark.parametrize("address", SPOKEN)
def test_a_dialects_address_leads_to_the_dialect(address: str) -> None:
    assert get_resolver().resolve(address).func.__module__.startswith("apps.dialects.")


@pytest.mark.parametrize("address", LUNA)
def test_luna_answers_at_the_root_where_a_setting_names_it(address: str, settings: Settings) -> None:
    settings.OMMA_ROOT_DIALECTS = ["luna"]
    try:
        found = _fresh_resolver().resolve(address).func.__module__
        with pytest.raises(Resolver404):
            _fresh_resolver().resolve("/api/recordings")
    finally:
        settings.OMMA_ROOT_DIALECTS = ["spectrax"]
        _fresh_resolver()

    assert found == "apps.dialects.luna.answering"


def _fresh_resolver() -> URLResolver:
    """Return the map as it is made at a start under the settings of now."""
    for module in ("apps.dialects.urls", "omma.urls"):
        reload(import_module(module))
    clear_url_caches()
    return get_resolver()


@pytest.mark.parametrize("address", ["/api/v1/recordings/", "/api/schema/", "/app/recordings/"])
def test_no_dialect_answers_below_ours(address: str) -> None:
    assert not get_resolver().resolve(address).func.__module__.startswith("apps.dialects.")


@pytest.mark.parametrize("address", [address for address in RESERVED if "ws" in address])
def test_a_dialects_socket_is_free(address: str) -> None:
    assert [route for route in socket_routes if route.pattern.match(address.lstrip("/"))] == []


def test_the_root_leads_to_the_pages() -> None:
    response = Client().get("/")

    assert (response.status_code, response.headers["Location"]) == (302, "/app/")
