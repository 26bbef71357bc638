"""From packets as read to packets with a capture time."""

from omma_engine.capture.sound import SoundPiece
from omma_engine.record.writing import AudioPiece
from omma_engine.sources.base import SourceInfo, SourcePacket
from omma_engine.timing.recorded_time import RecordedTime
from omma_engine.timing.timeline import Arrival, Timeline
from omma_engine.types import CodecInfo, EncodedPacket

_STEP_PATIENCE_US = 10_000_000


class Stamper:
    """Stamps one session's packets, whose arrivals are steady times. One thread.

    `observe` every picture before `stamp`; the first half second of a session may be observed as a whole
    before it is stamped, because a burst at the start (a cached GOP, what was read to find the streams) came
    late.
    """

    def __init__(self, info: SourceInfo, time: RecordedTime, *, not_before_us: int) -> None:
        """`not_before_us` is a steady time: the latest of the session before."""
        self._timeline = Timeline(info.burst_us, not_before_us=not_before_us)
        self._codec = info.video
        self._time = time
        self._last_dts: int | None = None
        self._interval = 0
        self._waits_since_us: int | None = None
        self.has_leapt = False
        """Whether the server's clock was set forward, and the picture stamped last is the first to follow."""

    @property
    def latest_us(self) -> int:
        """Return the latest steady time of a picture."""
        return self._timeline.latest_us

    @property
    def camera_offset_us(self) -> int:
        """Return how far the camera's clock is from ours, as of its last sender report; 0 without one."""
        return self._timeline.camera_offset_us

    def change_codec(self, codec: CodecInfo) -> None:
        self._codec = codec

    def arrival_of(self, packet: SourcePacket) -> Arrival:
        """Return a picture's times in microseconds."""
        reported_us = packet.reported_us
        if reported_us is not None:  # said in UTC, by the camera's clock
            reported_us -= self._time.of(packet.arrival_us) - packet.arrival_us
        return Arrival(self._us(packet.pts), self._us(packet.dts), packet.arrival_us, reported_us)

    def observe(self, arrival: Arrival) -> bool:
        """Take a picture's times, and return whether a new segment should begin."""
        return self._timeline.observe(arrival)

    def stamp(self, packet: SourcePacket, arrival: Arrival) -> EncodedPacket:
        """Return the picture with its capture time."""
        if self._last_dts is not None and packet.dts > self._last_dts:
            self._interval = packet.dts - self._last_dts
        self._last_dts = packet.dts
        steady_us = self._timeline.capture_us(arrival)
        self._step_where_due(steady_us, is_keyframe=packet.is_keyframe)
        return EncodedPacket(
            data=packet.data,
            pts=packet.pts,
            dts=packet.dts,
            duration=packet.duration or self._interval,
            is_keyframe=packet.is_keyframe,
            capture_us=self._time.of(steady_us),
            clock=self._timeline.clock,
            error_us=self._timeline.error_us + self._time.ahead_us,
            is_corrupt=packet.is_corrupt,
            starts=packet.starts,
        )

    def stamp_sound(self, piece: SoundPiece, arrival_us: int) -> AudioPiece:
        steady_us = self._timeline.sound_us(piece.media_us, arrival_us)
        return AudioPiece(piece.data, self._time.of(steady_us), piece.samples)

    def _step_where_due(self, steady_us: int, *, is_keyframe: bool) -> None:
        """Follow a clock that was set forward at a keyframe; without one for ten seconds, anywhere."""
        self.has_leapt = False
        if not self._time.behind_us:
            self._waits_since_us = None
            return
        if self._waits_since_us is None:
            self._waits_since_us = steady_us
        if is_keyframe or steady_us - self._waits_since_us > _STEP_PATIENCE_US:
            self._time.step_at(steady_us)
            self._waits_since_us, self.has_leapt = None, True

    def _us(self, ticks: int) -> int:
        numerator, denominator = self._codec.time_base
        return ticks * 1_000_000 * numerator // denominator
