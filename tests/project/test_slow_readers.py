"""A reader that stalls costs no memory, and a fast one still gets everything."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest
import websockets

from tests.conftest import ROOT
from tests.project.flood import CHUNK, CHUNKS

LIMIT_BYTES = 24 * 1024 * 1024
TOTAL = len(CHUNK) * CHUNKS


@dataclass
class Flood:
    port: int
    process: psutil.Process

    def memory_bytes(self) -> int:
        return int(self.process.memory_info().rss)


@pytest.fixture
def flood() -> Iterator[Flood]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    child = subprocess.Popen([sys.executable, "-m", "tests.project.flood", str(port)], cwd=ROOT)
    try:
        wait_for_port(port)
        yield Flood(port, psutil.Process(child.pid))
    finally:
        child.kill()
        child.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def highest_memory(flood: Flood, seconds: float) -> int:
    """Return the most the server held while it could have sent everything several times."""
    deadline = time.monotonic() + seconds
    highest = 0
    while time.monotonic() < deadline:
        highest = max(highest, flood.memory_bytes())
        time.sleep(0.05)
    return highest


def stalled(flood: Flood, request: str) -> socket.socket:
    """Open a connection, ask, and never read."""
    client = socket.create_connection(("127.0.0.1", flood.port))
    client.sendall(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    return client


def test_a_stalled_download_is_not_held_in_memory(flood: Flood) -> None:
    before = flood.memory_bytes()

    with stalled(flood, "GET / HTTP/1.1\nHost: localhost"):
        assert highest_memory(flood, 1.5) - before < LIMIT_BYTES


def test_a_body_that_ends_early_ends_the_connection(flood: Flood) -> None:
    with pytest.raises(httpx.RemoteProtocolError), httpx.Client(timeout=10) as client:
        client.get(f"http://127.0.0.1:{flood.port}/cut")


def test_a_stalled_socket_is_not_held_in_memory(flood: Flood) -> None:
    before = flood.memory_bytes()
    handshake = (
        "GET / HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )

    with stalled(flood, handshake):
        assert highest_memory(flood, 1.5) - before < LIMIT_BYTES


def test_a_fast_download_gets_everything(flood: Flood) -> None:
    before = flood.memory_bytes()

    with httpx.stream("GET", f"http://127.0.0.1:{flood.port}/", timeout=30) as response:
        received = sum(len(part) for part in response.iter_raw())

    assert received == TOTAL
    assert flood.memory_bytes() - before < LIMIT_BYTES


async def test_a_fast_socket_gets_everything_and_a_close(flood: Flood) -> None:
    received = 0
    async with websockets.connect(f"ws://127.0.0.1:{flood.port}/", max_size=None) as client:
        async with asyncio.timeout(30):
            async for message in client:
                received += len(message)

    assert received == TOTAL
    assert client.close_code == 1000


def test_a_reader_that_hangs_up_ends_the_sending(flood: Flood) -> None:
    client = stalled(flood, "GET / HTTP/1.1\nHost: localhost")
    client.recv(1024)
    client.close()

    with httpx.stream("GET", f"http://127.0.0.1:{flood.port}/", timeout=30) as response:
        assert next(response.iter_raw())
