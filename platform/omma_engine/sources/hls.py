"""HLS streams over HTTP: FFmpeg reads the playlists, and our own HTTP client makes every open that it asks
for.

Nested addresses, segments and redirects pass the guard one by one; a playlist is at most 1 MiB, a segment at
most 64 MiB. Encrypted playlists are not read: their keys would be one more thing to fetch on somebody's word.
"""

import io

import av

from omma_engine.clock import Clock
from omma_engine.errors import SourceEndedError, SourceStalledError, SourceUnsupportedError
from omma_engine.sources.addresses import require_scheme, without_login
from omma_engine.sources.base import OPEN_TIMEOUT_S, Delivery, SourceInfo
from omma_engine.sources.demux import COPIED_CODECS, Demuxer
from omma_engine.sources.failures import source_error
from omma_engine.sources.guard import AddressGuard, guard_for
from omma_engine.sources.http import CameraHttp
from omma_engine.sources.reencode import ReencodedVideo
from omma_engine.types import SourceSpec

_SCHEMES = frozenset({"http", "https"})
_MOST_BYTES = 64 * 1024 * 1024
_MOST_PLAYLIST_BYTES = 1024 * 1024
_SEGMENT_PAUSE_US = 20_000_000
_READ_TIMEOUT_S = 20.0
"""A live playlist pauses for as long as its segments last; three of usual length may be missing."""
_OPTIONS = {
    "protocol_whitelist": "http,https,tcp,tls",
    "allowed_extensions": "ALL",
    "extension_picky": "0",
    "http_persistent": "0",
    "http_multiple": "0",
    "max_reload": "20",
    "m3u8_hold_counters": "20",
    "live_start_index": "-2",
}


class HlsSource:
    """Reads one HLS stream."""

    def __init__(
        self, spec: SourceSpec, *, clock: Clock | None = None, guard: AddressGuard | None = None
    ) -> None:
        require_scheme(spec.url, _SCHEMES)
        self._url = spec.url
        self._clock = clock
        self._guard = guard or guard_for(spec)
        self._http: CameraHttp | None = None
        self._reader: Demuxer | ReencodedVideo | None = None

    def open(self) -> SourceInfo:
        self._http = CameraHttp(self._url, self._guard)
        try:
            container = av.open(
                without_login(self._url),
                "r",
                format="hls",
                options=_OPTIONS,
                timeout=(2 * OPEN_TIMEOUT_S, _READ_TIMEOUT_S),
                io_open=self._fetch,
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError) as error:
            raise source_error(error, was_open=False) from error
        demuxer = Demuxer(container, clock=self._clock)
        name = demuxer.info().video.codec
        self._reader = demuxer if name in COPIED_CODECS else ReencodedVideo(demuxer)
        found = self._reader.info()
        return SourceInfo(video=found.video, audio=found.audio, burst_us=_SEGMENT_PAUSE_US)

    def read(self) -> Delivery:
        if self._reader is None:
            raise SourceStalledError("the stream is closed")
        try:
            return self._reader.read()
        except SourceEndedError as error:
            raise SourceStalledError("the stream ended") from error

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._http is not None:
            self._http.close()
            self._http = None

    def _fetch(self, url: str, flags: int, options: dict[str, str]) -> io.BytesIO:
        """Answer an open that FFmpeg wants. Called from within `av.open` and reads, on their thread."""
        del flags
        if self._http is None:
            raise SourceStalledError("the stream is closed")
        if url.startswith("crypto"):
            raise SourceUnsupportedError("encrypted HLS is not supported")
        is_playlist = url.partition("?")[0].endswith((".m3u8", ".m3u"))
        body = self._http.open(url).body(_MOST_PLAYLIST_BYTES if is_playlist else _MOST_BYTES)
        first, last = int(options.get("offset", 0) or 0), int(options.get("end_offset", 0) or 0)
        return io.BytesIO(body[first : last or None])
