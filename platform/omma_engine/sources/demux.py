"""Packets out of an FFmpeg container, in the form that the engine carries.

H.264 and H.265 leave here as Annex B, each keyframe with its parameter sets in front, whatever the container
kept them as; so every keyframe can be decoded, and muxed, without anything that came before it.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from functools import partial

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceEndedError, SourceUnsupportedError
from omma_engine.sources.base import AudioInfo, Delivery, Media, SourceInfo, SourcePacket
from omma_engine.sources.failures import source_error
from omma_engine.sources.nal import head_of, is_annex_b_codec
from omma_engine.sources.parameter_sets import ParameterSets
from omma_engine.timing.reports import reported_capture_us
from omma_engine.types import CodecInfo

COPIED_CODECS = frozenset({"h264", "hevc", "av1"})
"""What goes to disk as it comes: MP4 takes it and browsers play it. All else is encoded once."""


_MOST_LOOKED_AT = 300


class Demuxer:
    """Reads one video stream, and one sound stream where there is one, of an open container.

    Owns the container from then on; `close` closes it. `is_rtp`: FFmpeg gives an H.264 or H.265 picture when
    the next one begins; that was the time when the one before was given, as near as can be told.
    """

    def __init__(
        self,
        container: InputContainer,
        *,
        clock: Clock | None = None,
        wants_audio: bool = True,
        is_rtp: bool = False,
    ) -> None:
        if not container.streams.video:
            container.close()
            raise SourceUnsupportedError("there is no video in it")
        self._container = container
        self._clock = clock or SystemClock()
        self._video = container.streams.video[0]
        self._audio = _usable_audio(container) if wants_audio else None
        self._codec = _codec_name(self._video)
        self._normaliser = _Normaliser(self._video, self._codec)
        self._untimed: list[Packet[Stream]] = []
        self._is_behind = is_rtp and is_annex_b_codec(self._codec)
        self._began_us: int | None = None
        self._deliveries = self._demux()
        self._info: SourceInfo | None = None
        self._held: deque[Delivery] = deque()

    @property
    def video(self) -> av.VideoStream:
        """Return the demuxed stream, valid until `close`."""
        return self._video

    def info(self) -> SourceInfo:
        """Return what is in the container; looks at the first packets where the header does not say it."""
        if self._info is None:
            while self._must_look() and len(self._held) < _MOST_LOOKED_AT:
                delivery = self._next()
                packets = delivery.unpack()
                self._held.append(replace(delivery, unpack=partial(list, packets)))
            self._info = SourceInfo(
                video=self._normaliser.codec, audio=_audio_info(self._audio) if self._audio else None
            )
        return self._info

    def read(self) -> Delivery:
        """Wait for the next packet of either medium. Raises `SourceError`s only."""
        return self._held.popleft() if self._held else self._next()

    def close(self) -> None:
        self._deliveries.close()
        self._container.close()

    def _must_look(self) -> bool:
        return is_annex_b_codec(self._codec) and not self._normaliser.codec.extradata

    def _next(self) -> Delivery:
        try:
            return next(self._deliveries)
        except StopIteration:
            raise SourceEndedError("the source has come to its end") from None
        except (av.FFmpegError, OSError) as error:
            raise source_error(error, was_open=True) from error

    def _demux(self) -> Generator[Delivery]:
        streams: list[Stream] = [self._video]
        if self._audio:
            streams.append(self._audio)
        video_index = self._video.index
        for packet in self._container.demux(streams):
            size = packet.size
            if size == 0:
                continue
            arrival_us = self._clock.now_us()
            if packet.stream_index != video_index:
                if packet.pts is not None:
                    yield Delivery(arrival_us, size, True, partial(_sound, packet, arrival_us))
                continue
            if self._is_behind:
                arrival_us, self._began_us = self._began_us or arrival_us, arrival_us
            if packet.dts is None and packet.pts is None:
                self._untimed.append(packet)
                continue
            for each in self._timed(packet) if self._untimed else (packet,):
                # A report with a first packet without time may be of that one or of the next: it is left out.
                reported_us = reported_capture_us(packet) if each is packet else None
                unpack = partial(self._normaliser.packets, each, arrival_us, reported_us)
                yield Delivery(arrival_us, size, each.is_keyframe, unpack)

    def _timed(self, packet: "Packet[Stream]") -> "list[Packet[Stream]]":
        """Return the packets that waited for a time, each with one, and this packet, which has one.

        The first picture of an RTSP session has none in FFmpeg, and it is the keyframe.
        """
        waiting, self._untimed = self._untimed, []
        time = packet.dts if packet.dts is not None else packet.pts
        for early in reversed(waiting):
            time = (time or 0) - (early.duration or packet.duration or 1)
            early.pts = early.dts = time
        return [*waiting, packet]


class _Normaliser:
    """Brings video packets into Annex B with parameter sets, and notices when these change."""

    def __init__(self, stream: av.VideoStream, codec: str) -> None:
        self._is_annex_b = is_annex_b_codec(codec)
        extradata = stream.codec_context.extradata or b""
        self._filter: BitStreamFilterContext | None = None
        if self._is_annex_b and extradata[:1] == b"\x01":
            self._filter = BitStreamFilterContext(f"{codec}_mp4toannexb", in_stream=stream)
            extradata = b""
        rate = stream.average_rate or stream.guessed_rate or Fraction(0, 1)
        time_base = stream.time_base or Fraction(1, 90_000)
        stated = CodecInfo(
            codec=codec,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            time_base=(time_base.numerator, time_base.denominator),
            extradata=head_of(codec, extradata).parameter_sets if self._is_annex_b else extradata,
            frame_rate=(rate.numerator, rate.denominator),
        )
        self._sets = ParameterSets(stated)

    @property
    def codec(self) -> CodecInfo:
        return self._sets.codec

    def packets(
        self, packet: "Packet[Stream]", arrival_us: int, reported_us: int | None
    ) -> list[SourcePacket]:
        if self._filter is None:
            return [self._sets.completed(_plain(packet, Media.VIDEO, arrival_us, reported_us))]
        return [
            self._sets.completed(_plain(each, Media.VIDEO, arrival_us, reported_us))
            for each in self._filter.filter(packet)
        ]


def _sound(packet: "Packet[Stream]", arrival_us: int) -> list[SourcePacket]:
    return [_plain(packet, Media.AUDIO, arrival_us)]


def _plain(
    packet: "Packet[Stream]", media: Media, arrival_us: int, reported_us: int | None = None
) -> SourcePacket:
    pts = packet.pts if packet.pts is not None else packet.dts
    dts = packet.dts if packet.dts is not None else packet.pts
    assert pts is not None and dts is not None  # noqa: S101, PT018 (packets without time are left out before)
    return SourcePacket(
        media=media,
        data=bytes(packet),
        pts=pts,
        dts=dts,
        duration=packet.duration or 0,
        is_keyframe=packet.is_keyframe,
        arrival_us=arrival_us,
        reported_us=reported_us,
        is_corrupt=packet.is_corrupt,
    )


def _codec_name(stream: av.VideoStream) -> str:
    """Return FFmpeg's codec name; a decoder may be called otherwise (`libdav1d` decodes `av1`)."""
    if stream.codec_context is None:
        raise SourceUnsupportedError("no decoder for its video is built in")
    return stream.codec_context.codec.canonical_name


def _usable_audio(container: InputContainer) -> av.AudioStream | None:
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.sample_rate:
            return stream
    return None


def _audio_info(stream: av.AudioStream) -> AudioInfo:
    context = stream.codec_context
    time_base = stream.time_base or Fraction(1, context.sample_rate)
    return AudioInfo(
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        channels=context.layout.nb_channels,
        time_base=(time_base.numerator, time_base.denominator),
        extradata=context.extradata or b"",
    )
