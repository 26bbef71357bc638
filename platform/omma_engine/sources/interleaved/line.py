"""One TCP connection that carries requests, answers and media: framing (RFC 2326, 10.12)."""

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from omma_engine.sources.interleaved.messages import message_size

_BUFFER_BYTES = 256 * 1024
_DOLLAR = 0x24
_FRAME_HEADER = 4
_MOST_MESSAGE_BYTES = 64 * 1024
_BEGINNINGS = (
    b"RTSP/", b"OPTIONS ", b"ANNOUNCE ", b"REDIRECT ", b"SET_PARAMETER ", b"GET_PARAMETER ", b"TEARDOWN ",
)  # fmt: skip
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; its note is of the same number
_STAMP = struct.Struct("@ll")
_STAMP_SPACE = socket.CMSG_SPACE(_STAMP.size)


class Frame(NamedTuple):
    """A piece of media, or, without a channel, a message. Valid until the next `receive`."""

    channel: int | None
    data: memoryview


class Line:
    """The connection. One thread, but `close` may be called twice."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self.skipped_bytes = 0
        self.waited_us: int | None = None
        """How long ago the last bytes that were received had come, by the kernel; None: it does not say."""
        self._has_stamps = _stamped(connection)

    @classmethod
    def to(cls, host: str, port: int, timeout_s: float) -> "Line":
        """Connect; raises `OSError`. A numeric host is not looked up: that costs each child 1.5 MB."""
        family = _family_of(host)
        if family is None:
            connection = socket.create_connection((host, port), timeout=timeout_s)
        else:
            connection = socket.socket(family)
            connection.settimeout(timeout_s)
            try:
                connection.connect((host, port))
            except OSError:
                connection.close()
                raise
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, timeout_s: float) -> bool:
        """Wait for more, and return whether the camera goes on; raises `OSError`, `TimeoutError` too."""
        if self._start:
            waiting = self._end - self._start
            self._buffer[:waiting] = self._buffer[self._start : self._end]
            self._start, self._end = 0, waiting
        self._socket.settimeout(timeout_s)
        target = self._view[self._end :]
        if self._has_stamps:
            count, notes, _, _ = self._socket.recvmsg_into([target], _STAMP_SPACE)
            arrived_us = _stamp_in(notes)  # by the wall clock, whatever was done to that since
            self.waited_us = None if arrived_us is None else time.time_ns() // 1000 - arrived_us
        else:
            count = self._socket.recv_into(target)
        self._end += count
        return count > 0

    def advance(self, take: Callable[[memoryview, int, int], int]) -> None:
        """Let the bytes that come next be taken without being framed; `take` returns where it stopped."""
        self._start = take(self._view, self._start, self._end)

    def frames(self) -> Iterator[Frame]:
        """Yield what is whole of what was received; noise in between is skipped."""
        buffer, view = self._buffer, self._view
        while self._end - self._start >= _FRAME_HEADER:
            start = self._start
            if buffer[start] == _DOLLAR:
                end = start + _FRAME_HEADER + (buffer[start + 2] << 8 | buffer[start + 3])
                if end > self._end:
                    return
                self._start = end
                yield Frame(buffer[start + 1], view[start + _FRAME_HEADER : end])
            elif not self._is_message():
                self._skip_noise()
            else:
                message = self._message()
                if message is None:
                    return
                yield message

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it may have been reset
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _is_message(self) -> bool:
        """Return whether a message begins here, as far as can be seen."""
        seen = bytes(self._view[self._start : min(self._end, self._start + 16)])
        return any(seen.startswith(each[: len(seen)]) for each in _BEGINNINGS)

    def _message(self) -> Frame | None:
        """Return the message that begins here; None while it is not whole."""
        waiting = bytes(self._view[self._start : min(self._end, self._start + _MOST_MESSAGE_BYTES)])
        size = message_size(waiting)
        if size is None and len(waiting) < _MOST_MESSAGE_BYTES:
            return None
        if size is None or size > _MOST_MESSAGE_BYTES:
            self._skip_noise()
            return Frame(None, memoryview(b""))
        if size > len(waiting):
            return None
        self._start += size
        return Frame(None, memoryview(waiting)[:size])

    def _skip_noise(self) -> None:
        """Go on at what may be a frame of RTP or a message; the rest of the buffer is thrown away."""
        start, end = self._start + 1, self._end
        at = self._buffer.find(b"$", start, end)
        while at >= 0 and not self._may_be_media(at):
            at = self._buffer.find(b"$", at + 1, end)
        text = self._buffer.find(b"RTSP/1.", start, end)
        found = min((each for each in (at, text) if each >= 0), default=end)
        self.skipped_bytes += found - self._start
        self._start = found

    def _may_be_media(self, at: int) -> bool:
        """Channels are small numbers, and RTP and RTCP begin with their version, 2."""
        if at + _FRAME_HEADER >= self._end:
            return True
        return self._buffer[at + 1] < 16 and self._buffer[at + _FRAME_HEADER] >> 6 == 2


def _family_of(host: str) -> socket.AddressFamily | None:
    """Return the family of a numeric address; None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None


def _stamped(connection: socket.socket) -> bool:
    """Ask the kernel to say when bytes came, and return whether it will."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def _stamp_in(notes: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            return int(seconds * 1_000_000 + nanoseconds // 1000)
    return None
