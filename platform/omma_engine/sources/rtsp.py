"""RTSP cameras: TCP interleaved by default, UDP where the options ask for it.

Options: `transport` ("tcp" or "udp"), `audio` (default true), `allowed_networks` (see `guard`). The address
is opened at the numeric host of the spec, so that a name cannot lead elsewhere between the check and the
opening; where the camera redirects, the new address is checked and opened in the same way.
"""

import time
from dataclasses import replace
from functools import partial
from urllib.parse import urljoin

import av
from av.container import InputContainer

from omma_engine.clock import Clock
from omma_engine.errors import (
    SourceBusyError,
    SourceEndedError,
    SourceError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.sources.addresses import require_scheme, with_login_for_origin, with_numeric_host
from omma_engine.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Delivery,
    SourceInfo,
    as_corrupt,
)
from omma_engine.sources.demux import COPIED_CODECS, Demuxer
from omma_engine.sources.failures import source_error
from omma_engine.sources.guard import guard_for
from omma_engine.sources.reencode import ReencodedVideo
from omma_engine.sources.rtsp_words import RtspWords
from omma_engine.types import SourceSpec

_SCHEMES = frozenset({"rtsp", "rtsps"})
_TRANSPORTS = frozenset({"tcp", "udp"})
_MOST_REDIRECTS = 3
_BUSY = frozenset({453, 486, 503})
_STALL_WORDS = f"nothing came for {READ_TIMEOUT_S:g} seconds"
_OPTIONS = {
    "protocol_whitelist": "rtsp,rtsps,rtp,srtp,udp,tcp,tls",
    "allowed_media_types": "video+audio",
    "fpsprobesize": "0",
    "analyzeduration": "2000000",
    "user_agent": "Omma",
}


class RtspSource:
    """Reads one RTSP session."""

    def __init__(self, spec: SourceSpec, *, clock: Clock | None = None) -> None:
        require_scheme(spec.url, _SCHEMES)
        self._url = spec.url
        self._numeric_host = spec.numeric_host
        self._guard = guard_for(spec)
        self._transport = str(spec.options.get("transport", "tcp"))
        if self._transport not in _TRANSPORTS:
            raise SourceUnsupportedError(f"expected transport tcp or udp, got {self._transport}")
        self._wants_audio = bool(spec.options.get("audio", True))
        self._clock = clock
        self._reader: Demuxer | ReencodedVideo | None = None
        self._words = RtspWords()
        self._known_losses = 0
        self._has_stalled = False

    def open(self) -> SourceInfo:
        demuxer = Demuxer(self._follow(), clock=self._clock, wants_audio=self._wants_audio, is_rtp=True)
        name = demuxer.info().video.codec
        self._reader = demuxer if name in COPIED_CODECS else ReencodedVideo(demuxer)
        return replace(self._reader.info(), may_pause=self._transport == "tcp")

    def _follow(self) -> InputContainer:
        """Open the address, or what the camera points to, each checked before it is opened."""
        url, numeric_host = self._url, self._numeric_host
        for _ in range(_MOST_REDIRECTS + 1):
            opened = self._ask(with_numeric_host(url, numeric_host))
            if not isinstance(opened, str):
                return opened
            url = with_login_for_origin(urljoin(url, opened), self._url)
            require_scheme(url, _SCHEMES)
            numeric_host = self._guard(url)
        raise SourceUnsupportedError(f"expected at most {_MOST_REDIRECTS} redirects")

    def _ask(self, url: str) -> InputContainer | str:
        """Open one address; return where the camera redirects to, if it does."""
        self._words = words = RtspWords()
        self._known_losses = 0
        began_s = time.monotonic()
        options = _OPTIONS | {
            "rtsp_transport": self._transport,
            "timeout": str(int(READ_TIMEOUT_S * 1_000_000)),
        }
        try:
            with words.opening():
                container = av.open(
                    url, "r", format="rtsp", options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
                    metadata_errors="replace",
                )  # fmt: skip
        except (av.FFmpegError, OSError) as error:
            if words.redirect is not None:
                return words.redirect
            raise _open_error(error, words, time.monotonic() - began_s) from error
        return container

    def read(self) -> Delivery:
        if self._reader is None:
            raise SourceStalledError("the session is closed")
        if self._has_stalled:
            raise SourceStalledError(_STALL_WORDS)
        began_s = time.monotonic()
        try:
            delivery = self._reader.read()
        except SourceEndedError as error:  # a camera never ends: it has hung up
            raise SourceStalledError("the camera ended the session") from error
        except SourceStalledError as error:
            raise SourceStalledError(_STALL_WORDS) from error
        # A read that ran out of time may still give the picture that FFmpeg had half assembled; the next one
        # would take as long again to find out the same.
        self._has_stalled = time.monotonic() - began_s >= READ_TIMEOUT_S * 0.95
        if self._words.lost_packets != self._known_losses:
            self._known_losses = self._words.lost_packets
            return replace(delivery, unpack=partial(as_corrupt, delivery.unpack))
        return delivery

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def time_limits() -> tuple[float, float]:
    """Return how many seconds an opening and a read may take."""
    return min(OPEN_TIMEOUT_S, READ_TIMEOUT_S), READ_TIMEOUT_S


def _open_error(error: Exception, words: RtspWords, elapsed_s: float) -> SourceError:
    """Return what an opening that failed means.

    FFmpeg calls it invalid data when an answer does not come, or is cut short: neither is for good.
    """
    if words.status in _BUSY:
        return SourceBusyError(f"the camera takes no further session (it answered {words.status})")
    if not isinstance(error, av.error.InvalidDataError):
        return source_error(error, was_open=False)
    if elapsed_s >= min(OPEN_TIMEOUT_S, READ_TIMEOUT_S) * 0.9:
        return SourceUnreachableError(f"the camera did not answer within {elapsed_s:.0f} seconds")
    return SourceError("the camera's answer is not understood")
