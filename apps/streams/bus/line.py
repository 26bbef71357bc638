"""A line to the bus's server without the client library, for capture children.

The library weighs 13 MB in the zygote, and what of it a watched child runs becomes that child's own. A
publisher needs a dozen commands. The protocol is RESP 2; addresses are those of the library: `redis://`,
`rediss://` and `unix://`.
"""

import contextlib
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

Command = Sequence[str | bytes]
Answer = Any
"""bytes, int, None, a list of them, or, where many commands are sent at once, a `RefusedError`."""

_READ_BYTES = 65_536


class RefusedError(ConnectionError):
    """The server answered with an error."""


class BusLine:
    """One connection. One thread, but `interrupt` may be called from any. Raises `OSError`s."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Connect and log in."""
        self._timeout_s = timeout_s
        self._heard = bytearray()
        self._socket = _connected(urlsplit(url), timeout_s)
        try:
            for command in _greeting(urlsplit(url)):
                self.ask(*command)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> "BusLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *command: str | bytes) -> Answer:
        """Send one command and return its answer; a refusal is raised."""
        (answer,) = self.ask_all([command])
        if isinstance(answer, RefusedError):
            raise answer
        return answer

    def ask_all(self, commands: Sequence[Command]) -> list[Answer]:
        """Send all commands at once and return their answers, refusals among them."""
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(b"".join(part for command in commands for part in _encoded(command)))
        return [self._answer() for _ in commands]

    def subscribe(self, channel: str) -> None:
        """Listen to a channel; afterwards only `hear` may be called."""
        self.ask("SUBSCRIBE", channel)

    def hear(self, timeout_s: float) -> bytes | None:
        """Return what is said on the channel; None where nothing is in time."""
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0 or self._heard:
            self._socket.settimeout(max(0.001, left_s))
            try:
                kind, _, said = self._answer()
            except TimeoutError:
                return None
            if kind == b"message":
                return bytes(said)
        return None

    def interrupt(self) -> None:
        """End a wait of another thread, with a `ConnectionError` there."""
        with contextlib.suppress(OSError):  # the server has hung up already
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> Answer:
        answer, end = _parsed(self._heard, 0)
        while not end:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise ConnectionError("the bus hung up")
            self._heard += data
            answer, end = _parsed(self._heard, 0)
        del self._heard[:end]
        return answer


def _encoded(command: Command) -> list[bytes]:
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        data = word.encode() if isinstance(word, str) else word
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return parts


def _parsed(heard: bytearray, start: int) -> tuple[Answer, int]:
    """Return the answer that begins at `start`, and where it ends: 0 while it is not whole."""
    end = heard.find(b"\r\n", start)
    if end < 0:
        return None, 0
    kind, text, end = heard[start : start + 1], bytes(heard[start + 1 : end]), end + 2
    if kind == b"+":
        return text, end
    if kind == b"-":
        return RefusedError(f"the bus refuses: {text[:200].decode(errors='replace')}"), end
    if kind == b":":
        return int(text), end
    if kind == b"$":
        return _bulk(heard, end, int(text))
    if kind == b"*":
        return _array(heard, end, int(text))
    raise ConnectionError("the bus says what is no answer")


def _bulk(heard: bytearray, start: int, size: int) -> tuple[Answer, int]:
    if size < 0:
        return None, start
    end = start + size + 2
    return (bytes(heard[start : end - 2]), end) if end <= len(heard) else (None, 0)


def _array(heard: bytearray, position: int, count: int) -> tuple[Answer, int]:
    if count < 0:
        return None, position
    items = []
    for _ in range(count):
        item, position = _parsed(heard, position)
        if not position:
            return None, 0
        items.append(item)
    return items, position


def _greeting(address: SplitResult) -> list[list[str]]:
    """Return the commands that log in and choose the database."""
    query = dict(parse_qsl(address.query))
    password = query.get("password") or unquote(address.password or "")
    user = query.get("username") or unquote(address.username or "")
    database = query.get("db") or ("" if address.scheme == "unix" else address.path.strip("/"))
    commands = [["AUTH", *([user] if user else []), password]] if password else []
    return [*commands, ["SELECT", database]] if database not in {"", "0"} else commands


def _connected(address: SplitResult, timeout_s: float) -> socket.socket:
    if address.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        try:
            connection.connect(unquote(address.path))
        except OSError:
            connection.close()
            raise
        return connection
    host, port = address.hostname or "localhost", address.port or 6379
    connection = socket.create_connection((host, port), timeout=timeout_s)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection if address.scheme == "redis" else _encrypted(connection, host, address)


def _encrypted(connection: socket.socket, host: str, address: SplitResult) -> socket.socket:
    """Speak TLS on; the options in the address are called as the library calls them."""
    import ssl  # megabytes, and few buses are encrypted

    query = dict(parse_qsl(address.query))
    context = ssl.create_default_context(cafile=query.get("ssl_ca_certs"))
    if query.get("ssl_check_hostname", "").lower() in {"0", "false", "no"}:
        context.check_hostname = False
    if query.get("ssl_cert_reqs") == "none":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if "ssl_certfile" in query:
        context.load_cert_chain(query["ssl_certfile"], query.get("ssl_keyfile"))
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise
