"""A child's line to its supervisor: JSON lines over a stream socket that never blocks the packet loop."""

import json
import select
import socket
import threading
from collections import deque
from typing import Any

from omma_engine.capture.bell import Bell
from omma_engine.errors import ProtocolError

_READ_BYTES = 65_536
_MAX_LINE_BYTES = 1_048_576
_MAX_UNSENT_BYTES = 4_194_304


class ControlLine:
    """The child's end of the line. One thread; `say` may be called from another one too.

    What the supervisor does not read is kept up to 4 MiB; beyond that the oldest lines are dropped, beats
    and news alike: the news are in the journal, which the supervisor reads when this life has ended.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._incoming = b""
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._sending = threading.Lock()
        self.is_closed = False

    def say(self, message: dict[str, Any]) -> None:
        """Send a line now or, as far as the supervisor does not read, later."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with self._sending:
            self._unsent.append(line)
            self._unsent_bytes += len(line)
            self._send()
            while self._unsent_bytes > _MAX_UNSENT_BYTES and len(self._unsent) > 1:
                self._unsent_bytes -= len(self._unsent[1])
                del self._unsent[1]  # the first may be half sent

    def wait(self, timeout_s: float, bell: Bell | None = None) -> list[dict[str, Any]]:
        """Wait at most so long, or until the bell rings, and return the lines that came.

        Sets `is_closed` when no more will.
        """
        readers: list[socket.socket | Bell] = [self._socket] if bell is None else [self._socket, bell]
        writers = [self._socket] if self._unsent else []
        readable, writable, _ = select.select(readers, writers, [], max(0.0, timeout_s))
        if bell is not None and bell in readable:
            bell.hush()
        if writable:
            with self._sending:
                self._send()
        return self._receive() if self._socket in readable else []

    def close(self) -> None:
        """Send what is left, waiting for at most half a second, and close."""
        if self._unsent and not self.is_closed:
            self._socket.settimeout(0.5)
            self._send()
        self._socket.close()

    def _send(self) -> None:
        while self._unsent and not self.is_closed:
            try:
                sent = self._socket.send(self._unsent[0])
            except (BlockingIOError, TimeoutError):
                return
            except OSError:
                self.is_closed = True
                return
            self._unsent_bytes -= sent
            rest = self._unsent.popleft()[sent:]
            if rest:
                self._unsent.appendleft(rest)

    def _receive(self) -> list[dict[str, Any]]:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.is_closed = True
            return []
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        if len(self._incoming) > _MAX_LINE_BYTES:
            raise ProtocolError("expected a line of at most 1 MiB from the supervisor")
        return [_message(line) for line in lines if line]


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ProtocolError("expected a JSON object a line") from error
    if not isinstance(message, dict):
        raise ProtocolError("expected a JSON object a line")
    return message
