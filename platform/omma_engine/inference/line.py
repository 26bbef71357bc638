"""The host's end of the line to its supervisor: JSON objects, one a line."""

import json
import socket
import time
from typing import Any

from omma_engine.errors import ProtocolError

_READ_BYTES = 65_536
_MAX_LINE_BYTES = 8 << 20
_SEND_S = 2.0  # a supervisor that does not read for so long is gone

Message = dict[str, Any]


class SupervisorLine:
    """Sends and receives whole lines. One thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(_SEND_S)
        self._unread = b""

    def fileno(self) -> int:
        return self._connection.fileno()

    def send(self, message: Message) -> None:
        """Send one line. Raises `ConnectionError` when the supervisor is gone or does not read for 2 s."""
        try:
            self._connection.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        except OSError as exc:
            raise ConnectionError(f"the supervisor cannot be told: {exc}") from exc

    def receive(self) -> list[Message]:
        """Return the lines that came, after the descriptor became readable.

        Raises `ConnectionError` when the supervisor has closed, and `ProtocolError` for what is no message.
        """
        try:
            data = self._connection.recv(_READ_BYTES)
        except OSError as exc:
            raise ConnectionError(f"the supervisor cannot be heard: {exc}") from exc
        if not data:
            raise ConnectionError("the supervisor has closed the line")
        *lines, self._unread = (self._unread + data).split(b"\n")
        if len(self._unread) > _MAX_LINE_BYTES:
            raise ProtocolError(f"expected lines of at most {_MAX_LINE_BYTES} bytes")
        return [_parse(line) for line in lines if line]

    def close(self) -> None:
        self._connection.close()


class BeatWatch:
    """Notes when the supervisor was last heard and when the host must speak, on the monotonic clock."""

    def __init__(self, *, silence_s: float = 5.0, beat_s: float = 0.5) -> None:
        self._silence_s = silence_s
        self._beat_s = beat_s
        self._heard_s = time.monotonic()
        self._said_s = float("-inf")

    def heard(self) -> None:
        self._heard_s = time.monotonic()

    @property
    def is_orphan(self) -> bool:
        """Whether the supervisor was silent for too long."""
        return time.monotonic() - self._heard_s > self._silence_s

    def is_due(self) -> bool:
        """Tell whether to beat now, and note that it is done."""
        if time.monotonic() - self._said_s < self._beat_s:
            return False
        self._said_s = time.monotonic()
        return True


def _parse(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError as exc:
        raise ProtocolError(f"expected a JSON object a line, got {line[:80]!r}") from exc
    if not isinstance(message, dict):
        raise ProtocolError(f"expected a JSON object a line, got {line[:80]!r}")
    return message
