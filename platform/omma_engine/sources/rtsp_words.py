"""What FFmpeg's RTSP client says in its log and nowhere else: redirects, refusals, lost packets.

PyAV hands each line of the log to Python in the thread that caused it, and FFmpeg goes on when Python is
done. So a redirect is known before it is followed, and it never is: until the opening has failed, the process
gets no new descriptor, and so no connection. FFmpeg would follow to wherever a camera says, with the camera's
own password, and asks nobody (libavformat/rtsp.c, ff_rtsp_connect).
"""

import logging
import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av.logging

_REDIRECT = re.compile(r"Status \d+: Redirecting to (.*)", re.DOTALL)
_REFUSAL = re.compile(r"method \w+ failed: (\d+)")
_LOSS = re.compile(r"RTP: missed (\d+) packets")
_LATE = "RTP: dropping old packet received too late"
_NOBODY_LISTENS = logging.CRITICAL + 1


class RtspWords:
    """What one session's log said. Filled by the thread that opened and reads the session."""

    def __init__(self) -> None:
        self.redirect: str | None = None
        """Where the camera wanted the client to go instead."""
        self.status: int | None = None
        """The last status with which the camera refused a request."""
        self.lost_packets = 0
        """How many packets never came, or too late."""
        self._limits: tuple[int, int] | None = None

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Listen to what the calling thread makes FFmpeg say, from here on; redirects fail within."""
        _listen()
        _of_thread.words = self
        try:
            yield
        finally:
            if self._limits is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)
                self._limits = None

    def hear(self, line: str) -> None:
        """Take one line of the log."""
        if found := _LOSS.match(line):
            self.lost_packets += int(found[1])
        elif line.startswith(_LATE):
            self.lost_packets += 1
        elif found := _REFUSAL.match(line):
            self.status = int(found[1])
        elif found := _REDIRECT.match(line):
            self.redirect = found[1].strip()
            self._stop_connections()

    def _stop_connections(self) -> None:
        if self._limits is None:
            self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, self._limits[1]))


_of_thread = threading.local()


def _hear(record: logging.LogRecord) -> bool:
    words: RtspWords | None = getattr(_of_thread, "words", None)
    if words is not None:
        words.hear(record.getMessage())
    return False  # nothing of it goes to Omma's own log


def _listen() -> None:
    """Let FFmpeg's RTSP client be heard, and nothing else of FFmpeg."""
    if av.logging.get_level() == av.logging.INFO:
        return
    logging.getLogger("libav").setLevel(_NOBODY_LISTENS)
    rtsp = logging.getLogger("libav.rtsp")
    rtsp.setLevel(logging.INFO)
    rtsp.addFilter(_hear)
    av.logging.set_skip_repeated(False)  # two equal losses are two losses
    av.logging.set_level(av.logging.INFO)
