"""The sound of a source as AAC-LC: copied where it is that, transcoded otherwise."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler

from omma_engine.record.aac import (
    LOW_COMPLEXITY,
    adts_object_type,
    is_adts,
    is_known_rate,
    object_type,
    without_adts,
)
from omma_engine.record.header import AudioFormat
from omma_engine.sources.base import AudioInfo, SourcePacket

logger = logging.getLogger(__name__)

_FRAME_SAMPLES = 1024
_BITS_PER_SECOND_AND_CHANNEL = 48_000
_FALLBACK_RATE = 48_000


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """One AAC access unit: `media_us` of its first sample on the source's own timeline."""

    data: bytes
    media_us: int
    samples: int


class SoundTrack:
    """Turns a source's sound packets into AAC-LC. One thread."""

    def __init__(self, info: AudioInfo) -> None:
        self._info = info
        rate = info.sample_rate if is_known_rate(info.sample_rate) else _FALLBACK_RATE
        self.format = AudioFormat(rate, min(2, max(1, info.channels)))
        self._convert: Callable[[SourcePacket], list[SoundPiece]] | None = None

    def pieces(self, packet: SourcePacket) -> list[SoundPiece]:
        """Return what a packet becomes; nothing where it is damaged."""
        if self._convert is None:
            self._convert = self._choose(packet)
        try:
            return self._convert(packet)
        except av.FFmpegError as error:
            logger.debug("a piece of sound is left out: %s", error.strerror)
            return []

    def _choose(self, packet: SourcePacket) -> Callable[[SourcePacket], list[SoundPiece]]:
        if (
            self._info.codec == "aac"
            and self._info.channels <= 2
            and self.format.sample_rate == self._info.sample_rate
        ):
            kind = (
                adts_object_type(packet.data) if is_adts(packet.data) else object_type(self._info.extradata)
            )
            if kind == LOW_COMPLEXITY:
                return self._copy
        return _Transcoder(self._info, self.format).convert

    def _copy(self, packet: SourcePacket) -> list[SoundPiece]:
        data = without_adts(packet.data) if is_adts(packet.data) else packet.data
        return [SoundPiece(data, _media_us(packet.pts, self._info.time_base), _FRAME_SAMPLES)]


def _media_us(ticks: int, time_base: tuple[int, int]) -> int:
    return ticks * 1_000_000 * time_base[0] // time_base[1]


class _Transcoder:
    """Decodes any sound and encodes AAC-LC; the first sample's time is carried, and a break begins anew."""

    def __init__(self, info: AudioInfo, target: AudioFormat) -> None:
        self._info = info
        self._target = target
        layout = "mono" if target.channels == 1 else "stereo"
        # The cast: the codec of a sound stream is a sound codec.
        self._decoder = cast("AudioCodecContext", av.CodecContext.create(info.codec, "r"))
        self._decoder.sample_rate = info.sample_rate
        self._decoder.layout = "mono" if info.channels == 1 else "stereo"
        if info.extradata:
            self._decoder.extradata = info.extradata
        self._resampler = AudioResampler("fltp", layout, target.sample_rate, _FRAME_SAMPLES)
        self._encoder: AudioCodecContext = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate = target.sample_rate
        self._encoder.layout = layout
        self._encoder.format = "fltp"
        self._encoder.bit_rate = _BITS_PER_SECOND_AND_CHANNEL * target.channels
        self._encoder.time_base = Fraction(1, target.sample_rate)
        self._encoder.open()

    def convert(self, packet: SourcePacket) -> list[SoundPiece]:
        raw = av.Packet(packet.data)
        raw.pts = raw.dts = packet.pts
        raw.time_base = Fraction(*self._info.time_base)
        pieces = []
        for decoded in self._decoder.decode(raw):
            decoded.time_base = Fraction(*self._info.time_base)
            for frame in self._resampler.resample(decoded):
                pieces.extend(self._encode(frame))
        return pieces

    def _encode(self, frame: av.AudioFrame) -> list[SoundPiece]:
        pieces = []
        for packet in self._encoder.encode(frame):
            pts = packet.pts if packet.pts is not None else 0
            base = packet.time_base or Fraction(1, self._target.sample_rate)
            media_us = int(pts * base * 1_000_000)
            pieces.append(SoundPiece(bytes(packet), media_us, packet.duration or _FRAME_SAMPLES))
        return pieces
