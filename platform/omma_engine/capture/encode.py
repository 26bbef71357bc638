"""Encoding once: pictures to H.264 without latency, their capture time carried through.

One keyframe about every second and a half, no B-frames, no look-ahead: a packet leaves the encoder with the
picture that went in. Packets are Annex B with parameter sets at each keyframe; ticks are 1/90000 s of UTC.
"""

from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from omma_engine.sources.nal import head_of
from omma_engine.types import CodecInfo

TICKS_PER_SECOND = 90_000
_KEYFRAME_INTERVAL_US = 1_500_000
_OPTIONS = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "crf": "23",
    "forced-idr": "1",
    "x264-params": "scenecut=0:repeat-headers=1",
}


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture as H.264, with the tick of its capture."""

    data: bytes
    ticks: int
    is_keyframe: bool


class PictureEncoder:
    """Encodes pictures of one size. One thread; `close` drops what is inside."""

    def __init__(self, *, width: int, height: int, frame_rate: int = 25, max_bitrate_bps: int = 0) -> None:
        self._width, self._height = width & ~1, height & ~1
        self._context: VideoCodecContext = av.CodecContext.create("libx264", "w")
        self._context.width, self._context.height = self._width, self._height
        self._context.pix_fmt = "yuv420p"
        self._context.time_base = Fraction(1, TICKS_PER_SECOND)
        self._context.framerate = Fraction(frame_rate, 1)
        self._context.gop_size = 10 * frame_rate
        self._context.max_b_frames = 0
        self._context.thread_count = 1
        self._context.options = _options(max_bitrate_bps)
        self._reformatter = (
            VideoReformatter()
        )  # keeps its tables; a frame's own would start threads each time
        self._frame_rate = frame_rate
        self._last_ticks: int | None = None
        self._next_keyframe_us = 0
        self._parameter_sets = b""

    def encode(self, frame: av.VideoFrame, capture_us: int) -> list[EncodedPicture]:
        """Return what encoding the picture gave: one packet, its ticks never less than one after the last."""
        ticks = capture_us * 9 // 100
        if self._last_ticks is not None:
            ticks = max(ticks, self._last_ticks + 1)
        self._last_ticks = ticks
        picture = self._reformatter.reformat(frame, self._width, self._height, "yuv420p", threads=1)
        picture.pts = ticks
        picture.time_base = Fraction(1, TICKS_PER_SECOND)
        picture.pict_type = PictureType.NONE
        if (
            capture_us >= self._next_keyframe_us
            or capture_us < self._next_keyframe_us - 2 * _KEYFRAME_INTERVAL_US
        ):
            picture.pict_type = PictureType.I
            self._next_keyframe_us = capture_us + _KEYFRAME_INTERVAL_US
        return [
            EncodedPicture(bytes(packet), packet.pts if packet.pts is not None else ticks, packet.is_keyframe)
            for packet in self._context.encode(picture)
        ]

    def codec_info(self, keyframe: bytes) -> CodecInfo:
        """Return the codec that a first keyframe belongs to."""
        return CodecInfo(
            codec="h264",
            width=self._width,
            height=self._height,
            time_base=(1, TICKS_PER_SECOND),
            extradata=head_of("h264", keyframe).parameter_sets,
            frame_rate=(self._frame_rate, 1),
        )


def _options(max_bitrate_bps: int) -> dict[str, str]:
    if not max_bitrate_bps:
        return dict(_OPTIONS)
    return _OPTIONS | {"maxrate": str(max_bitrate_bps), "bufsize": str(max_bitrate_bps)}
