"""A video file as a camera: once or looping, at its own pace.

Options: `loop` (default false). Packets come when the file's timestamps say. A loop is joined without a jump,
each round beginning where the last picture of the one before ended.
"""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import av

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceEndedError, SourceNotFoundError, SourceUnsupportedError
from omma_engine.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Delivery,
    Media,
    SourceInfo,
    SourcePacket,
    delivery_of,
)
from omma_engine.sources.demux import COPIED_CODECS, Demuxer
from omma_engine.sources.failures import source_error
from omma_engine.sources.reencode import ReencodedVideo
from omma_engine.types import SourceSpec

_LATE_US = 1_000_000


def local_path(url: str) -> Path:
    """Return the path that a file source's address names: a `file:` URL or a plain path."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if "://" in url:
        raise SourceUnsupportedError(f"expected a local file, got a {parts.scheme} address")
    return Path(url)


class FileSource:
    """Plays one local file."""

    def __init__(
        self, spec: SourceSpec, *, clock: Clock | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._path = local_path(spec.url)
        self._is_looping = bool(spec.options.get("loop", False))
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._reader: Demuxer | ReencodedVideo | None = None
        self._info: SourceInfo | None = None
        self._pace = _Pace(self._clock)
        self._ready: deque[SourcePacket] = deque()
        self._shift_us = 0
        self._first_us: int | None = None
        self._end_us = 0

    def open(self) -> SourceInfo:
        self._shift_us, self._first_us, self._end_us = 0, None, 0
        self._pace.restart()
        self._ready.clear()
        self._reader = self._open_file()
        self._info = self._reader.info()
        return self._info

    def read(self) -> Delivery:
        """Return the next packet when its time has come."""
        packet = self._shifted(self._next())
        media_us = self._us(packet, packet.dts)
        wait_us = self._pace.wait_us(media_us)
        if wait_us > 0:
            self._sleep(wait_us / 1_000_000)
        elif wait_us < -_LATE_US:
            self._pace.restart(media_us)
        return delivery_of(packet._replace(arrival_us=self._clock.now_us()))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open_file(self) -> Demuxer | ReencodedVideo:
        if not self._path.is_file():
            raise SourceNotFoundError(f"there is no file {self._path.name}")
        try:
            container = av.open(
                str(self._path),
                "r",
                options={"protocol_whitelist": "file"},
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError) as error:
            raise source_error(error, was_open=False) from error
        demuxer = Demuxer(container, clock=self._clock)
        name = demuxer.info().video.codec
        return demuxer if name in COPIED_CODECS else ReencodedVideo(demuxer)

    def _next(self) -> SourcePacket:
        while not self._ready:
            self._ready.extend(self._delivery().unpack())
        return self._ready.popleft()

    def _delivery(self) -> Delivery:
        if self._reader is None:
            raise SourceEndedError("the file is closed")
        try:
            return self._reader.read()
        except SourceEndedError:
            if not self._is_looping or self._first_us is None:
                raise
        self._shift_us += self._end_us - self._first_us
        self._reader.close()
        self._reader = self._open_file()
        self._reader.info()
        return self._reader.read()

    def _shifted(self, packet: SourcePacket) -> SourcePacket:
        """Return the packet on the timeline of all rounds, and remember where this round ends."""
        if packet.media is Media.VIDEO:
            start_us = self._us(packet, packet.pts)
            if self._first_us is None:
                self._first_us = start_us
            end_us = start_us + max(1_000, self._us(packet, packet.duration))
            self._end_us = max(self._end_us, end_us)
        shift = self._ticks(packet, self._shift_us)
        return packet._replace(pts=packet.pts + shift, dts=packet.dts + shift) if shift else packet

    def _time_base(self, packet: SourcePacket) -> tuple[int, int]:
        assert self._info is not None  # noqa: S101 (packets come after open)
        if packet.media is Media.VIDEO or self._info.audio is None:
            return self._info.video.time_base
        return self._info.audio.time_base

    def _us(self, packet: SourcePacket, ticks: int) -> int:
        numerator, denominator = self._time_base(packet)
        return ticks * 1_000_000 * numerator // denominator

    def _ticks(self, packet: SourcePacket, duration_us: int) -> int:
        numerator, denominator = self._time_base(packet)
        return duration_us * denominator // (1_000_000 * numerator)


class _Pace:
    """Says how long it is until a media time is due, on a clock that never steps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_us: int | None = None

    def restart(self, media_us: int | None = None) -> None:
        """Begin anew: this media time, or the next that is asked for, is due now."""
        self._offset_us = None if media_us is None else self._clock.monotonic_us() - media_us

    def wait_us(self, media_us: int) -> int:
        if self._offset_us is None:
            self.restart(media_us)
        return media_us + (self._offset_us or 0) - self._clock.monotonic_us()
