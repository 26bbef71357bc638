"""Who may ask: known host names, and sockets from pages of this very server only."""

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings

from omma.hosts import LOOPBACK, accepted_hosts, is_loopback
from omma.origins import SameOrigin, is_same_origin


@pytest.mark.parametrize(
    ("host", "origin", "may"),
    [
        ("localhost:8000", "http://localhost:8000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("localhost:8000", None, True),
        ("localhost:8000", "http://localhost:9000", False),
        ("localhost:8000", "http://127.0.0.1:8000", False),
        ("localhost:8000", "https://evil.example", False),
        ("localhost:8000", "null", False),
        ("localhost:8000", "", False),
        ("evil.example", "http://evil.example", False),
        ("", None, False),
    ],
)
def test_a_page_of_this_server_may_open_a_socket(host: str, origin: str | None, may: bool) -> None:
    assert is_same_origin(host, origin) is may


def test_a_trusted_origin_may_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CSRF_TRUSTED_ORIGINS", ["https://omma.example"])

    assert is_same_origin("localhost:8000", "https://omma.example")


async def test_a_foreign_page_is_refused_before_the_socket_opens() -> None:
    async def never(scope: object, receive: object, send: object) -> None:
        raise AssertionError("reached")

    headers = [(b"host", b"localhost:8000"), (b"origin", b"https://evil.example")]
    client = WebsocketCommunicator(SameOrigin(never), "/ws/v1/events", headers=headers)

    connected, code = await client.connect()

    assert (connected, code) == (False, 4403)


def test_hosts_that_are_accepted() -> None:
    assert accepted_hosts([], "127.0.0.1") == LOOPBACK
    assert accepted_hosts(["omma.example"], "0.0.0.0") == [*LOOPBACK, "omma.example"]
    assert len(accepted_hosts([], "0.0.0.0")) > len(LOOPBACK)


@pytest.mark.parametrize(
    ("host", "is_one"), [("127.0.0.2", True), ("::1", True), ("localhost", True), ("::", False)]
)
def test_loopback(host: str, is_one: bool) -> None:
    assert is_loopback(host) is is_one
