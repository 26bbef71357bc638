"""Whether anybody listens at a source's address: asked while waiting, so that a camera that comes back is
recorded at once, and not when the wait is over.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from omma_engine.sources.addresses import PORTS
from omma_engine.types import SourceKind, SourceSpec

KNOCK_EVERY_S = 2.0
_PATIENCE_S = 1.5
_KINDS = frozenset({SourceKind.RTSP, SourceKind.HLS, SourceKind.MJPEG})


class Door:
    """The TCP port of a camera. Blocks for at most a second and a half."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def is_open(self) -> bool:
        """Return whether a connection is taken; it is closed again at once."""
        try:
            socket.create_connection(self._address, _PATIENCE_S).close()
        except OSError:
            return False
        return True


def door_of(spec: SourceSpec) -> Door | None:
    """Return the port of a source that has one and whose address was checked, else None."""
    parts = urlsplit(spec.url)
    port = parts.port or PORTS.get(parts.scheme)
    if spec.kind not in _KINDS or not spec.numeric_host or not port:
        return None
    return Door(spec.numeric_host, port)


def wait_at(door: Door, seconds: float, sleep: Callable[[float], bool]) -> None:
    """Wait so long, or until somebody begins to listen who did not when the wait began.

    Where somebody listens already, the port is not what is wrong, and the whole time is waited. `sleep` waits
    for some seconds and returns whether the waiting is to end.
    """
    left_s = seconds
    if left_s <= KNOCK_EVERY_S or door.is_open():
        sleep(left_s)
        return
    while left_s > 0 and not sleep(min(KNOCK_EVERY_S, left_s)):
        left_s -= KNOCK_EVERY_S
        if left_s > 0 and door.is_open():
            return
