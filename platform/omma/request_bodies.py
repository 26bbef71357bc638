"""Bodies of requests are bounded as they come: Daphne itself would store all of one before anybody looks.

A length that is too large is refused by the headers alone; one that is not told, or not true, when too much
has come. A body that drips in is given up after a while.
"""

from typing import Any

import daphne.server  # noqa: F401 - installs the reactor, before anything asks for one
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet import reactor

MAX_BODY_BYTES = 320 << 20  # a model in one request, and the form around it
BODY_S = 600.0

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout"


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request that takes so many bytes, for so long, and no more."""

    _received = 0
    _is_refused = False
    _timer: Any = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        super().gotLength(0 if self._is_too_large(length or 0) else length)
        if self._is_too_large(length or 0):
            self._refuse(_TOO_LARGE)
        elif length != 0:
            self._timer = reactor.callLater(BODY_S, self._refuse, _TOO_SLOW)  # type: ignore[arg-type]

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._received += len(data)
        if self._is_refused:
            return
        if self._is_too_large(self._received):
            self._refuse(_TOO_LARGE)
            return
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        self._stop_timer()
        if not self._is_refused:
            super().requestReceived(command, path, version)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        self._stop_timer()
        super().connectionLost(reason)

    def _is_too_large(self, size: int) -> bool:
        return size > MAX_BODY_BYTES

    def _refuse(self, line: bytes) -> None:
        self._timer = None
        self._is_refused = True
        self.channel.transport.write(line + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.channel.loseConnection()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedFactory(HTTPFactory):  # type: ignore[misc]  # daphne has no types
    """Makes connections whose requests are bounded."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol
