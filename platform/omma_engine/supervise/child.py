"""One child process as its supervisor sees it: a line each way, and what was last heard."""

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omma_engine.supervise.dialect import Line

logger = logging.getLogger(__name__)

_READ_BYTES = 65_536
_LINE_LIMIT_BYTES = 1 << 20  # a child that writes a longer line is broken
_UNSENT_LIMIT_BYTES = 1 << 18  # a child that does not read so much is stuck


@dataclass(slots=True)
class Child:
    """A running child. All times are microseconds of a monotonic clock; loop thread only."""

    key: str
    connection: socket.socket
    started_us: int
    heard_us: int
    assignments: dict[UUID, int] = field(default_factory=dict)  # object → epoch
    beat: Line = field(default_factory=dict)
    bye: str | None = None
    kill_at_us: int | None = None  # set once it was told to stop
    is_broken: bool = False
    _unread: bytearray = field(default_factory=bytearray)
    _unsent: bytearray = field(default_factory=bytearray)

    def send(self, line: Line) -> None:
        """Send a line, or keep it until the child reads."""
        self._unsent += json.dumps(line, separators=(",", ":")).encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Send what is waiting, as far as the child takes it."""
        if not self._unsent:
            return
        try:
            sent = self.connection.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._unsent.clear()  # it is leaving: its exit follows
            return
        del self._unsent[:sent]
        self.is_broken = self.is_broken or len(self._unsent) > _UNSENT_LIMIT_BYTES

    def receive(self, now_us: int) -> Iterator[Line]:
        """Yield the whole lines that have arrived."""
        if self._fill():
            self.heard_us = now_us
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        self.is_broken = self.is_broken or len(self._unread) > _LINE_LIMIT_BYTES
        for text in lines:
            line = self._parse(bytes(text))
            if line is not None:
                yield line

    def close(self) -> None:
        self.connection.close()

    def _fill(self) -> bool:
        has_read = False
        while len(self._unread) <= _LINE_LIMIT_BYTES:
            try:
                data = self.connection.recv(_READ_BYTES)
            except OSError:  # nothing more now, or gone: its exit follows
                break
            if not data:
                break
            self._unread += data
            has_read = True
        return has_read

    def _parse(self, text: bytes) -> Line | None:
        try:
            line: Any = json.loads(text)
        except ValueError:
            line = None
        if isinstance(line, dict):
            return line
        logger.warning("child %s said something that is no message", self.key)
        return None
