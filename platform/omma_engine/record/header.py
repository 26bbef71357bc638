"""The first section of a segment file, made once for each coding: ours where it is plain, else FFmpeg's."""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av

from omma_engine.record.boxes import Track, boxes, find, tracks
from omma_engine.record.movie import plain_header
from omma_engine.types import CodecInfo

logger = logging.getLogger(__name__)

TICKS_PER_SECOND = 90_000
_TIME_BASE = Fraction(1, TICKS_PER_SECOND)
_FRAGMENT_KINDS = frozenset({b"moof", b"mdat"})
_OPTIONS = {
    "movflags": "+empty_moov+default_base_moof+frag_keyframe+negative_cts_offsets+frag_discont+skip_trailer",
    "video_track_timescale": str(TICKS_PER_SECOND),
}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The sound track of a file: AAC-LC."""

    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class MovieHeader:
    """The bytes, and what the fragments that follow must know of them."""

    data: bytes
    video: Track
    audio: Track | None


@lru_cache(maxsize=2)
def movie_header(codec: CodecInfo, audio: AudioFormat | None, entry: bytes) -> MovieHeader | None:
    """Return the header of files of this coding; None where FFmpeg makes nothing of `entry`.

    `entry` is what a decoder begins with: parameter sets in Annex B, or a keyframe.
    """
    size = codec.width, codec.height
    sound = (audio.sample_rate, audio.channels) if audio else None
    data = plain_header(codec.codec, size, TICKS_PER_SECOND, entry, sound)
    data = data or ffmpeg_header(codec, audio, entry)
    made = [track for moov in find(data, b"moov") for track in tracks(moov.body)]
    video = _first(made, lambda track: track.is_video)
    return MovieHeader(data, video, _first(made, lambda track: not track.is_video)) if video else None


def ffmpeg_header(codec: CodecInfo, audio: AudioFormat | None, entry: bytes) -> bytes:
    """Return the header that FFmpeg writes; nothing where it cannot."""
    target = io.BytesIO()
    try:
        _write(target, codec, audio, entry)
    except av.FFmpegError as error:
        logger.warning("a picture makes no movie header: %s", error.strerror)
        return b""
    found = [(box.kind, bytes(target.getbuffer()[box.offset : box.offset + box.size]))
             for box in boxes(target.getvalue()) if box.kind not in _FRAGMENT_KINDS]  # fmt: skip
    return b"".join(_with_hvc1(each) if kind == b"moov" else each for kind, each in found)


def _write(target: io.BytesIO, codec: CodecInfo, audio: AudioFormat | None, entry: bytes) -> None:
    with av.open(target, "w", format="mp4", options=_OPTIONS) as output:
        video = output.add_mux_stream(
            codec.codec,
            rate=Fraction(*codec.frame_rate) if codec.frame_rate[0] else None,
            width=codec.width,
            height=codec.height,
            time_base=_TIME_BASE,
        )
        if audio:
            layout = "mono" if audio.channels == 1 else "stereo"
            output.add_stream("aac", rate=audio.sample_rate, layout=layout)
        packet = av.Packet(entry)
        packet.stream = video
        packet.pts = packet.dts = 0
        packet.duration = 1
        packet.is_keyframe = True
        output.mux_one(packet)


def _first(made: list[Track], is_wanted: Callable[[Track], bool]) -> Track | None:
    return next((track for track in made if is_wanted(track)), None)


def _with_hvc1(moov: bytes) -> bytes:
    """Mark H.265 as `hvc1` in a movie header: FFmpeg writes `hev1`, which Apple's players refuse."""
    return moov.replace(b"hev1", b"hvc1", 1)
