"""Sleeping until a stream has a reader, on a bare socket.

The client library could do the same. But whatever code a forked child runs, it makes the pages of that code's
objects its own: three megabytes a child for the library, and most streams are watched by nobody most of the
time. So the library is used only once there is a reader.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from apps.streams.bus.wire import WAKE_CHANNEL, demand_key

ASK_EVERY_S = 5.0  # in case a wake-up got lost, or a stream was added
_TIMEOUT_S = 1.0
_READ_BYTES = 4096
_UUID_CHARACTERS = 36


def wake_line(url: str) -> "WakeLine | None":
    """Return a line to this server; None where it is encrypted, which only the library speaks."""
    parts = urlsplit(url)
    return WakeLine(parts) if parts.scheme in {"unix", "redis"} else None


class WakeLine:
    """Waits in one thread; `close` may be called from any."""

    def __init__(self, address: SplitResult) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._subscription: socket.socket | None = None
        self._is_closed = False

    def wait(self, streams: Callable[[], Sequence[UUID]]) -> None:
        """Return when one of these streams may have a reader, or after `close`.

        Raises `OSError` when the server is away or refuses.
        """
        with self._connected() as subscription, self._interruptible(subscription):
            heard = self._subscribed(subscription)
            is_wanted = self._is_read(streams())  # asked after subscribing: nobody can come unnoticed
            while not is_wanted and not self._is_closed:
                data = self._next(subscription)
                heard = heard[-_UUID_CHARACTERS:] + data
                is_wanted = _names_one(heard, streams()) if data else self._is_read(streams())

    def close(self) -> None:
        """End the wait, now and for ever."""
        with self._lock:
            self._is_closed = True
            if self._subscription is not None:
                with contextlib.suppress(OSError):  # the server has hung up already
                    self._subscription.shutdown(socket.SHUT_RDWR)

    def _next(self, subscription: socket.socket) -> bytes:
        """Return what came; nothing where it is time to ask, or to end."""
        try:
            data = subscription.recv(_READ_BYTES)
        except TimeoutError:
            return b""
        if not data and not self._is_closed:
            raise ConnectionError("the bus hung up")
        return data

    def _subscribed(self, subscription: socket.socket) -> bytes:
        """Subscribe, and return what came behind the confirmation."""
        _say(subscription, "SUBSCRIBE", WAKE_CHANNEL)
        _, behind = _answer(subscription, end=b":1\r\n")
        subscription.settimeout(ASK_EVERY_S)
        return behind

    def _is_read(self, stream_ids: Sequence[UUID]) -> bool:
        """Ask whether anybody has stated a demand; it may have expired."""
        if self._is_closed or not stream_ids:
            return False
        with self._connected() as connection:
            _say(connection, "EXISTS", *(demand_key(stream_id) for stream_id in stream_ids))
            count, _ = _answer(connection)
            return count != b":0\r\n"

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        """Connect and log in."""
        address = self._address
        is_local = address.scheme == "unix"
        with socket.socket(socket.AF_UNIX) if is_local else self._called() as connection:
            if is_local:
                connection.settimeout(_TIMEOUT_S)
                connection.connect(unquote(address.path))
            if address.password:
                names = [unquote(address.username)] if address.username else []
                _say(connection, "AUTH", *names, unquote(address.password))
                _answer(connection)
            yield connection

    def _called(self) -> socket.socket:
        host, port = self._address.hostname or "localhost", self._address.port or 6379
        connection = socket.create_connection((host, port), timeout=_TIMEOUT_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    @contextlib.contextmanager
    def _interruptible(self, subscription: socket.socket) -> Iterator[None]:
        """Let `close` end a wait on this connection."""
        with self._lock:
            self._subscription = subscription
        try:
            yield
        finally:
            with self._lock:
                self._subscription = None


def _names_one(heard: bytes, stream_ids: Sequence[UUID]) -> bool:
    return any(str(stream_id).encode() in heard for stream_id in stream_ids)


def _say(connection: socket.socket, *words: str) -> None:
    """Send one command (the Redis protocol's array of strings)."""
    encoded = [word.encode() for word in words]
    parts = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)]
    connection.sendall(b"".join(parts))


def _answer(connection: socket.socket, *, end: bytes = b"\r\n") -> tuple[bytes, bytes]:
    """Return an answer up to its end, and what came behind it. Raises `ConnectionError` for a refusal."""
    heard = b""
    while end not in heard:
        if heard.startswith(b"-") and b"\r\n" in heard:
            break
        data = connection.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the bus hung up")
        heard += data
    if heard.startswith(b"-"):
        raise ConnectionError(f"the bus refuses: {heard[1:100].decode(errors='replace').strip()}")
    answer, _, behind = heard.partition(end)
    return answer + end, behind
