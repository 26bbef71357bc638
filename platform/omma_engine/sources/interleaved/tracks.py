"""The two media of a session: from RTP and RTCP to packets as the engine carries them."""

from dataclasses import replace

from omma_engine.sources.base import Media, SourcePacket
from omma_engine.sources.interleaved.decoding import DecodeTimes
from omma_engine.sources.interleaved.description import Medium
from omma_engine.sources.interleaved.formats import VideoFormat
from omma_engine.sources.interleaved.pictures import Picture, PictureAssembler
from omma_engine.sources.interleaved.reports import sender_report
from omma_engine.sources.interleaved.rtp import RtpReceiver
from omma_engine.sources.interleaved.sound import SoundFormat
from omma_engine.sources.interleaved.sound_clock import MediumClock, offset_us
from omma_engine.sources.ordering import picture_order
from omma_engine.sources.parameter_sets import ParameterSets
from omma_engine.types import CodecInfo

_FRAME_BYTES = 4
_DOLLAR = 0x24
_LEAST = 16  # an RTP header, and the header of a part with something behind it


class VideoTrack:
    """The pictures of a session. One thread."""

    def __init__(self, video: VideoFormat) -> None:
        self._sets = ParameterSets(video.codec)
        self._receiver = RtpReceiver(video.medium.payload_type)
        self._assembler = PictureAssembler(video.codec.codec)
        self._times = DecodeTimes(video.reordered)
        self._report: tuple[int, int] | None = None
        self.clock = MediumClock()
        self.has_sound = False
        self.channel = -1

    @property
    def codec(self) -> CodecInfo:
        """Return the codec of the latest picture; without parameter sets before the first."""
        return self._sets.codec

    def take(self, data: memoryview, arrival_us: int) -> list[SourcePacket]:
        """Take an RTP packet and return the pictures that end with it."""
        packet = self._receiver.take(data)
        if packet is None:
            return []
        return [self._packet(picture, arrival_us) for picture in self._assembler.take(packet)]

    def take_middles(self, data: memoryview, start: int, end: int) -> int:
        """Take the middle parts of a unit as far as they follow each other plainly; return where they end.

        Most of what a camera sends is such parts: their headers are compared with what is expected, and
        nothing else is looked at.
        """
        plain, middle = self._receiver.next_plain, self._assembler.middle
        if plain is None or middle is None:
            return start
        marks, number, ticks = (plain[0] << 8) | plain[1], plain[2], plain[3]
        frame, (word, last), unpack = _DOLLAR << 8 | self.channel, middle.words, middle.heads.unpack_from
        skip, latest = _FRAME_BYTES + middle.offset, end - _FRAME_BYTES - _LEAST
        parts = []
        while start <= latest:
            its_frame, size, its_marks, its_number, its_ticks, _, its_word, its_last = unpack(data, start)
            if its_last != last or its_word != word or its_marks != marks or its_frame != frame:
                break
            after = start + _FRAME_BYTES + size
            if its_number != number or its_ticks != ticks or after > end or size < _LEAST:
                break
            parts.append(data[start + skip : after])
            number, start = (number + 1) & 0xFFFF, after
        self._receiver.took_plain(len(parts))
        self._assembler.append_middles(parts)
        return start

    def take_report(self, data: memoryview) -> None:
        """Take RTCP: the next picture carries the camera's own time."""
        self._report = sender_report(data) or self._report

    def hold(self) -> None:
        """Keep what is begun: the bytes that were taken may change from now on."""
        self._assembler.hold()

    def _packet(self, picture: Picture, arrival_us: int) -> SourcePacket:
        had_sets = bool(self.codec.extradata)
        packet = self._sets.completed(
            SourcePacket(
                Media.VIDEO,
                picture.data,
                picture.ticks,
                self._times.of(picture.ticks),
                0,
                picture.is_keyframe,
                arrival_us,
                self._reported_us(picture.ticks),
                picture.is_corrupt,
                starts=picture.starts,
            )
        )
        if self.has_sound:
            self.clock.observe(_video_us(picture.ticks), arrival_us)
        if self.codec.extradata and (packet.codec or not had_sets):
            self._learn_order()
        return packet

    def _learn_order(self) -> None:
        """Take what sets that came in the stream say."""
        order = picture_order(self.codec.codec, self.codec.extradata)
        self._times.deepen(order.reordered)
        if order.frame_rate and not self.codec.frame_rate[0]:
            rate = (order.frame_rate.numerator, order.frame_rate.denominator)
            self._sets.codec = replace(self._sets.codec, frame_rate=rate)

    def _reported_us(self, ticks: int) -> int | None:
        """Return the camera's time of a picture, once after each report."""
        if self._report is None:
            return None
        (utc_us, reported), self._report = self._report, None
        reported_ticks = self._receiver.ticks_near(reported)
        self.clock.report(_video_us(reported_ticks), utc_us)
        return utc_us + (ticks - reported_ticks) * 100 // 9


class SoundTrack:
    """The sound of a session, on the timeline of its pictures. One thread."""

    def __init__(self, medium: Medium, packing: SoundFormat, pictures: MediumClock) -> None:
        self.info = packing.info
        self._packing = packing
        self._clock_hz = medium.clock_hz
        self._receiver = RtpReceiver(medium.payload_type)
        self._pictures = pictures
        self._clock = MediumClock()

    def take(self, data: memoryview, arrival_us: int) -> list[SourcePacket]:
        """Take an RTP packet and return the sound in it."""
        packet = self._receiver.take(data)
        if packet is None:
            return []
        self._clock.observe(self._us(packet.ticks), arrival_us)
        moved = offset_us(self._clock, self._pictures) * self._clock_hz // 1_000_000
        return [
            SourcePacket(
                Media.AUDIO,
                unit.data,
                packet.ticks + moved + unit.offset_ticks,
                packet.ticks + moved + unit.offset_ticks,
                unit.duration_ticks,
                True,
                arrival_us,
            )
            for unit in self._packing.units(packet.payload)
        ]

    def take_report(self, data: memoryview) -> None:
        """Take RTCP."""
        report = sender_report(data)
        if report is not None:
            self._clock.report(self._us(self._receiver.ticks_near(report[1])), report[0])

    def _us(self, ticks: int) -> int:
        return ticks * 1_000_000 // self._clock_hz


def _video_us(ticks: int) -> int:
    return ticks * 100 // 9
