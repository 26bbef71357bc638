"""From packets as read to packets with a capture time."""

from omma_engine.capture.sound import SoundPiece
from omma_engine.clock import Clock
from omma_engine.record.writing import AudioPiece
from omma_engine.sources.base import SourceInfo, SourcePacket
from omma_engine.timing.timeline import Arrival, Timeline
from omma_engine.timing.wall import WallClockWatch
from omma_engine.types import CodecInfo, EncodedPacket


class Stamper:
    """Stamps one session's packets. One thread.

    `observe` every picture before `stamp`; the first half second of a session may be observed as a whole
    before it is stamped, because a burst at the start (a cached GOP, what was read to find the streams) came
    late.
    """

    def __init__(self, info: SourceInfo, clock: Clock, *, not_before_us: int) -> None:
        self._timeline = Timeline(info.burst_us, not_before_us=not_before_us)
        self._codec = info.video
        self._clock = clock
        self._watch = WallClockWatch()
        self._last_dts: int | None = None
        self._interval = 0

    @property
    def latest_us(self) -> int:
        return self._timeline.latest_us

    @property
    def camera_offset_us(self) -> int:
        """Return how far the camera's clock is from ours, as of its last sender report; 0 without one."""
        return self._timeline.camera_offset_us

    def change_codec(self, codec: CodecInfo) -> None:
        self._codec = codec

    def arrival_of(self, packet: SourcePacket) -> Arrival:
        """Return a picture's times in microseconds."""
        return Arrival(self._us(packet.pts), self._us(packet.dts), packet.arrival_us, packet.reported_us)

    def observe(self, arrival: Arrival) -> bool:
        """Take a picture's times, and return whether a new segment should begin."""
        if self._watch.stepped(now_us=arrival.arrival_us, monotonic_us=self._clock.monotonic_us()):
            self._timeline.restart()
            self._timeline.observe(arrival)
            return True
        return self._timeline.observe(arrival)

    def stamp(self, packet: SourcePacket, arrival: Arrival) -> EncodedPacket:
        """Return the picture with its capture time."""
        if self._last_dts is not None and packet.dts > self._last_dts:
            self._interval = packet.dts - self._last_dts
        self._last_dts = packet.dts
        return EncodedPacket(
            data=packet.data,
            pts=packet.pts,
            dts=packet.dts,
            duration=packet.duration or self._interval,
            is_keyframe=packet.is_keyframe,
            capture_us=self._timeline.capture_us(arrival),
            clock=self._timeline.clock,
            error_us=self._timeline.error_us,
            is_corrupt=packet.is_corrupt,
        )

    def stamp_sound(self, piece: SoundPiece, arrival_us: int) -> AudioPiece:
        return AudioPiece(piece.data, self._timeline.sound_us(piece.media_us, arrival_us), piece.samples)

    def _us(self, ticks: int) -> int:
        numerator, denominator = self._codec.time_base
        return ticks * 1_000_000 * numerator // denominator
