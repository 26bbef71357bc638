"""RTSP cameras: plain H.264 and H.265 over TCP is read by `interleaved`, everything else by FFmpeg (`rtsp`).

Options and checks are those of `rtsp`, its time limits too.
"""

from dataclasses import replace
from urllib.parse import urljoin

from omma_engine.clock import Clock
from omma_engine.errors import SourceError, SourceUnsupportedError
from omma_engine.sources.addresses import require_scheme, with_login_for_origin, with_numeric_host
from omma_engine.sources.base import Delivery, SourceInfo
from omma_engine.sources.guard import guard_for
from omma_engine.sources.interleaved.formats import UnplainError
from omma_engine.sources.interleaved.handshake import RedirectedError
from omma_engine.sources.interleaved.session import InterleavedSession
from omma_engine.sources.rtsp import RtspSource, time_limits
from omma_engine.types import SourceSpec

_SCHEMES = frozenset({"rtsp"})
_MOST_REDIRECTS = 3


class RtspCamera:
    """Reads one camera, in the way that fits it."""

    def __init__(self, spec: SourceSpec, *, clock: Clock | None = None) -> None:
        self._spec = spec
        self._clock = clock
        self._by_ffmpeg = RtspSource(spec, clock=clock)
        self._session: InterleavedSession | None = None

    def open(self) -> SourceInfo:
        is_tcp = self._spec.options.get("transport", "tcp") == "tcp"
        if not is_tcp or not self._spec.url.lower().startswith("rtsp:"):
            return self._by_ffmpeg.open()
        try:
            return self._follow()
        except UnplainError:
            return self._by_ffmpeg.open()

    def read(self) -> Delivery:
        if self._session is not None:
            return self._session.read(time_limits()[1])
        return self._by_ffmpeg.read()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._by_ffmpeg.close()

    def _follow(self) -> SourceInfo:
        """Open the address, or what the camera points to, each checked before it is opened."""
        url, numeric_host, guard = self._spec.url, self._spec.numeric_host, guard_for(self._spec)
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                return self._opened(with_numeric_host(url, numeric_host))
            except RedirectedError as error:
                url = with_login_for_origin(urljoin(url, error.location), self._spec.url)
            require_scheme(url, _SCHEMES)
            numeric_host = guard(url)
        raise SourceUnsupportedError(f"expected at most {_MOST_REDIRECTS} redirects")

    def _opened(self, url: str) -> SourceInfo:
        wants_audio = bool(self._spec.options.get("audio", True))
        session = InterleavedSession(url, wants_audio=wants_audio, clock=self._clock)
        try:
            info = session.open(time_limits()[0])
        except SourceError:
            session.close()
            raise
        self._session = session
        return replace(info, may_pause=True, knows_arrivals=session.knows_arrivals)
