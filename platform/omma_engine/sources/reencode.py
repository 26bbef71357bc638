"""A source whose coding no browser plays, decoded and encoded once to H.264.

The sound, where there is any, passes through.
"""

from collections import deque
from fractions import Fraction

import av

from omma_engine.capture.encode import TICKS_PER_SECOND, PictureEncoder
from omma_engine.errors import SourceEndedError, SourceUnsupportedError
from omma_engine.sources.base import Delivery, Media, SourceInfo, SourcePacket, delivery_of
from omma_engine.sources.demux import Demuxer
from omma_engine.types import CodecInfo

_PROBED_PACKETS = 200
_DEFAULT_FRAME_RATE = 25


class ReencodedVideo:
    """Reads a demuxer, and gives its pictures as H.264 on the same timeline. Owns the demuxer."""

    def __init__(self, demuxer: Demuxer) -> None:
        self._demuxer = demuxer
        original = demuxer.info()
        self._audio = original.audio
        self._time_base = original.video.time_base
        self._decoder = demuxer.video.codec_context
        self._decoder.thread_count = 1
        rate = Fraction(*original.video.frame_rate) if original.video.frame_rate[1] else Fraction(0)
        self._encoder = PictureEncoder(
            width=original.video.width,
            height=original.video.height,
            frame_rate=min(120, max(1, round(rate or _DEFAULT_FRAME_RATE))),
        )
        self._ready: deque[SourcePacket] = deque()
        self._codec: CodecInfo | None = None
        self._is_drained = False

    def info(self) -> SourceInfo:
        """Return the coding that packets leave with; reads up to the first picture."""
        for _ in range(_PROBED_PACKETS):
            if self._codec is not None:
                return SourceInfo(video=self._codec, audio=self._audio)
            self._pump()
        raise SourceUnsupportedError("its video cannot be decoded")

    def read(self) -> Delivery:
        while not self._ready:
            self._pump()
        return delivery_of(self._ready.popleft())

    def close(self) -> None:
        self._demuxer.close()

    def _pump(self) -> None:
        if self._is_drained:
            raise SourceEndedError("the source has come to its end")
        try:
            packets = self._demuxer.read().unpack()
        except SourceEndedError:
            self._is_drained = True
            self._encode(self._decode(None), 0)
            return
        for packet in packets:
            if packet.media is Media.AUDIO:
                self._ready.append(packet)
            else:
                self._encode(self._decode(packet), packet.arrival_us)

    def _decode(self, packet: SourcePacket | None) -> list[av.VideoFrame]:
        try:
            if packet is None:
                return self._decoder.decode(None)
            raw = av.Packet(packet.data)
            raw.pts, raw.dts = packet.pts, packet.dts
            raw.time_base = Fraction(*self._time_base)
            return self._decoder.decode(raw)
        except av.FFmpegError:  # a damaged picture: the next keyframe mends it
            return []

    def _encode(self, frames: list[av.VideoFrame], arrival_us: int) -> None:
        numerator, denominator = self._time_base
        for frame in frames:
            if frame.pts is None:
                continue
            media_us = frame.pts * 1_000_000 * numerator // denominator
            for picture in self._encoder.encode(frame, media_us):
                if self._codec is None:
                    self._codec = self._encoder.codec_info(picture.data)
                self._ready.append(
                    _TEMPLATE._replace(
                        data=picture.data,
                        pts=picture.ticks,
                        dts=picture.ticks,
                        duration=TICKS_PER_SECOND * self._codec.frame_rate[1] // self._codec.frame_rate[0],
                        is_keyframe=picture.is_keyframe,
                        arrival_us=arrival_us,
                    )
                )


_TEMPLATE = SourcePacket(Media.VIDEO, b"", 0, 0, 0, is_keyframe=False, arrival_us=0)
