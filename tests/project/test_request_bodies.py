"""Bodies that are too large or too slow end before they are stored, and others come through."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.project.test_slow_readers import wait_for_port

HEAD = "POST /cut HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tests.project.flood", str(number), "small"]
    child = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for_port(number)
        yield number
    finally:
        child.kill()
        child.wait()


def answer_to(port: int, *parts: bytes, pause_s: float = 0.0, wait_s: float = 10.0) -> bytes:
    """Send parts, with pauses, and return the first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:  # it has been closed over there
                break
            time.sleep(pause_s)
        try:
            return client.recv(4096).split(b"\r\n")[0]
        except ConnectionResetError:
            return b"reset"


def test_a_large_length_is_refused_by_the_headers_alone(port: int) -> None:
    began_s = time.monotonic()

    line = answer_to(port, f"{HEAD}Content-Length: {100 << 30}\r\n\r\n".encode())

    assert line == b"HTTP/1.1 413 Content Too Large"
    assert time.monotonic() - began_s < 5


def test_a_length_that_is_not_told_is_counted(port: int) -> None:
    chunk = b"4e20\r\n" + b"x" * 20_000 + b"\r\n"

    line = answer_to(port, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode(), *[chunk] * 6)

    assert line in {b"HTTP/1.1 413 Content Too Large", b"reset"}


def test_a_body_that_drips_in_is_given_up(port: int) -> None:
    began_s = time.monotonic()

    line = answer_to(port, f"{HEAD}Content-Length: 1000\r\n\r\n".encode(), *[b"x"] * 8, pause_s=0.2)

    assert line == b"HTTP/1.1 408 Request Timeout"
    assert time.monotonic() - began_s < 10


def test_what_is_small_and_quick_comes_through(port: int) -> None:
    whole = f"{HEAD}Content-Length: 90000\r\n\r\n".encode() + b"x" * 90_000

    assert answer_to(port, whole) == b"HTTP/1.1 200 OK"
    assert answer_to(port, b"GET /cut HTTP/1.1\r\nHost: localhost\r\n\r\n") == b"HTTP/1.1 200 OK"
