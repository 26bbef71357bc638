"""From packets to what a browser's Media Source takes: an init segment, then one fragment a picture."""

from dataclasses import dataclass

from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.boxes import TIME_SCALE, fragment, init_segment
from omma_engine.live.codec_string import codec_string
from omma_engine.live.nal_units import AccessUnit, length_bytes_of, sets_of_extradata, split, with_lengths
from omma_engine.types import CodecInfo, EncodedPacket

SUPPORTED_CODECS = frozenset({"h264", "hevc"})
LONGEST_HOLE = 10 * TIME_SCALE  # a longer one means that the source's clock was set anew
USUAL_DURATION = TIME_SCALE // 25


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What comes first, and again when the encoding changes."""

    codec_string: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LiveFragment:
    """One picture. `capture_us` belongs to its decode time, so that media time leads to capture time."""

    data: bytes
    capture_us: int
    is_keyframe: bool


class LiveMuxer:
    """Muxes one stream; used by one thread or task at a time. Times begin at 0 and never step back."""

    def __init__(self) -> None:
        self._info: CodecInfo | None = None
        self._length_bytes = 0
        self._sets: tuple[bytes, ...] = ()
        self._is_ready = False
        self._sequence = 0
        self._shift: int | None = None
        self._last_time = -1
        self._duration = USUAL_DURATION

    def set_codec(self, info: CodecInfo) -> None:
        """Take a codec; raise `SourceUnsupportedError` for one that no fragment can carry."""
        if info.codec not in SUPPORTED_CODECS:
            raise SourceUnsupportedError(f"{info.codec} cannot be shown live")
        self._info = info
        self._length_bytes = length_bytes_of(info.extradata)
        self._is_ready = False

    def mux(self, packet: EncodedPacket) -> list[InitSegment | LiveFragment]:
        """Return the packet's fragment, after an init segment when one is due; nothing before a keyframe.

        Raises `SourceUnsupportedError` when the first picture cannot be read.
        """
        if self._info is None or not (packet.is_keyframe or self._is_ready):
            return []
        unit = AccessUnit.of(self._info.codec, split(packet.data, self._length_bytes))
        made: list[InitSegment | LiveFragment] = []
        if packet.is_keyframe:
            made += self._init_if_new(self._info, unit)
        made.append(self._fragment(self._info, packet, with_lengths(unit.units)))
        return made

    def _init_if_new(self, info: CodecInfo, unit: AccessUnit) -> list[InitSegment]:
        sets = unit.parameter_sets or sets_of_extradata(info.codec, info.extradata)
        if self._is_ready and sets == self._sets:
            return []
        try:
            name = codec_string(info.codec, sets)
        except ValueError as error:
            raise SourceUnsupportedError(str(error)) from error
        data = init_segment(info.codec, sets, unit.units)
        self._sets, self._is_ready = sets, True
        return [InitSegment(name, info.width, info.height, data)]

    def _fragment(self, info: CodecInfo, packet: EncodedPacket, sample: bytes) -> LiveFragment:
        decode_time = self._place(_scaled(packet.dts, info), is_keyframe=packet.is_keyframe)
        offset = _scaled(packet.pts, info) - _scaled(packet.dts, info)
        self._sequence += 1
        data = fragment(
            sample,
            sequence=self._sequence,
            decode_time=decode_time,
            offset=offset,
            duration=_scaled(packet.duration, info) or self._duration,
            is_keyframe=packet.is_keyframe,
        )
        return LiveFragment(data, packet.capture_us - offset * 1_000_000 // TIME_SCALE, packet.is_keyframe)

    def _place(self, time: int, *, is_keyframe: bool) -> int:
        """Return the decode time on our line: it goes on where a source starts its clock anew."""
        placed = time + (self._shift if self._shift is not None else -time)
        if is_keyframe and not self._last_time < placed <= self._last_time + LONGEST_HOLE:
            placed = self._last_time + (self._duration if self._last_time >= 0 else 1)
        if placed <= self._last_time:
            placed = self._last_time + 1
        elif self._last_time >= 0 and placed - self._last_time < TIME_SCALE:
            self._duration = placed - self._last_time
        if is_keyframe or self._shift is None:
            self._shift = placed - time
        self._last_time = placed
        return placed


def _scaled(ticks: int, info: CodecInfo) -> int:
    numerator, denominator = info.time_base
    return ticks * numerator * TIME_SCALE // denominator
