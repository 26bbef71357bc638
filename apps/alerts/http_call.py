"""One HTTP request to a checked address, with an end that nothing the other side does can move.

No redirect is followed and nothing of the answer's body is read. The connection goes to the numeric address
that the egress guard returned, so that the name cannot lead elsewhere in between.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.core.egress import CheckedAddress

USER_AGENT = "Omma"
_FAILURES = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and headers of an answer."""

    status: int
    reason: str
    retry_after_s: float | None


class CallError(Exception):
    """Nothing that counts as an answer came; the message says why, in words that may be shown."""


def post(address: CheckedAddress, *, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
    """Post a body and return the answer's head; raise `CallError` when none came in time."""
    deadline_s = time.monotonic() + timeout_s
    too_late = f"no answer within {timeout_s:g} s"
    try:
        with _connected(address, deadline_s) as stream, _ended_at(stream, deadline_s) as watch:
            try:
                reply = _ask(stream, address, body, headers)
            except _FAILURES as error:
                raise CallError(too_late if watch.is_over else _words(error)) from error
            if watch.is_over:  # what was cut off in the middle may look like a short answer
                raise CallError(too_late)
            return reply
    except _FAILURES as error:
        raise CallError(_words(error)) from error


def _ask(stream: socket.socket, address: CheckedAddress, body: bytes, headers: Mapping[str, str]) -> Reply:
    if isinstance(stream, ssl.SSLSocket):
        stream.do_handshake()
    parts = urlsplit(address.url)
    connection = http.client.HTTPConnection(address.host, address.port)
    connection.sock = stream
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", parts.netloc)
    connection.putheader("User-Agent", USER_AGENT)
    connection.putheader("Connection", "close")
    connection.putheader("Content-Length", str(len(body)))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return Reply(response.status, response.reason[:100], _seconds(response.headers.get("Retry-After")))


@contextmanager
def _connected(address: CheckedAddress, deadline_s: float) -> Iterator[socket.socket]:
    left_s = max(deadline_s - time.monotonic(), 0.001)
    plain = socket.create_connection((address.numeric_host, address.port), timeout=left_s)
    try:
        plain.settimeout(left_s)
        stream: socket.socket = plain
        if address.scheme == "https":
            stream = ssl.create_default_context().wrap_socket(
                plain, server_hostname=address.host, do_handshake_on_connect=False
            )
        with stream:
            yield stream
    finally:
        plain.close()


@dataclass(slots=True)
class _Watch:
    is_over: bool = False


@contextmanager
def _ended_at(stream: socket.socket, deadline_s: float) -> Iterator[_Watch]:
    """Cut the connection when the time is up: a timeout of the socket begins anew with each byte."""
    watch = _Watch()

    def end() -> None:
        watch.is_over = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(stream, socket.SHUT_RDWR)

    timer = threading.Timer(max(deadline_s - time.monotonic(), 0.001), end)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()


def _seconds(text: str | None) -> float | None:
    """Return a `Retry-After` that is a number of seconds; dates are not worth their parsing."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else None


def _words(error: BaseException) -> str:
    match error:
        case TimeoutError():
            return "no connection in time"
        case ConnectionRefusedError():
            return "the connection was refused"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case ssl.SSLError():
            return "no secure connection could be made"
        case http.client.RemoteDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "it hung up without an answer"
        case http.client.HTTPException() | ValueError():
            return "its answer is not HTTP"
        case _:
            return f"it cannot be reached ({type(error).__name__})"
