"""One opening of a source, in the packet loop: its packets stamped, published and recorded."""

from dataclasses import dataclass

from omma_engine.capture.sound import SoundTrack
from omma_engine.capture.stamping import Stamper
from omma_engine.ports import PacketPublisher
from omma_engine.record.recorder import Coding, StreamRecorder
from omma_engine.sources.base import Delivery, Media, SourceInfo, SourcePacket
from omma_engine.timing.recorded_time import RecordedTime
from omma_engine.timing.timeline import Arrival
from omma_engine.types import GapCause

_SETTLE_US = 500_000
_Held = tuple[SourcePacket, Arrival | None, bool]


@dataclass(slots=True)
class Figures:
    """What was read since the child started."""

    packets: int = 0
    bytes: int = 0
    last_packet_us: int = 0


class Session:
    """Takes the deliveries of one opening. `close` before the next one begins, or at the end.

    What comes in the first half second is held and stamped as a whole: it may have come in a burst, and the
    least delayed packet of it tells the time best.
    """

    def __init__(
        self,
        info: SourceInfo,
        recorder: StreamRecorder,
        publisher: PacketPublisher,
        time: RecordedTime,
        *,
        not_before_us: int = 0,
    ) -> None:
        """`not_before_us` is where the session before this one ended, in steady time."""
        self._recorder = recorder
        self._publisher = publisher
        self._stamper = Stamper(info, time, not_before_us=not_before_us)
        self._sound = SoundTrack(info.audio) if info.audio else None
        self._settling: list[_Held] | None = []
        self.coding = Coding(info.video, self._sound.format if self._sound else None)
        publisher.set_codec(info.video)
        recorder.cut()
        recorder.set_coding(self.coding)

    @property
    def latest_us(self) -> int:
        """Return the latest steady time of a picture."""
        return self._stamper.latest_us

    def take(self, delivery: Delivery, figures: Figures) -> bool:
        """Take one delivery, count it, and return whether the coding changed with it."""
        coding = self.coding
        for packet in delivery.unpack():
            figures.packets += packet.media is Media.VIDEO
            figures.bytes += len(packet.data)
            figures.last_packet_us = packet.arrival_us
            self._observe(packet)
        return coding is not self.coding

    def close(self) -> None:
        """Stamp and hand on what is still held."""
        held, self._settling = self._settling, None
        for packet, arrival, wants_cut in held or ():
            self._hand_on(packet, arrival, wants_cut=wants_cut)

    def _observe(self, packet: SourcePacket) -> None:
        if packet.codec is not None:
            self._stamper.change_codec(packet.codec)
        arrival, wants_cut = None, False
        if packet.media is Media.VIDEO:
            arrival = self._stamper.arrival_of(packet)
            wants_cut = self._stamper.observe(arrival)
        if self._settling is None:
            self._hand_on(packet, arrival, wants_cut=wants_cut)
            return
        self._settling.append((packet, arrival, wants_cut))
        if packet.arrival_us - self._settling[0][0].arrival_us >= _SETTLE_US:
            self.close()

    def _hand_on(self, packet: SourcePacket, arrival: Arrival | None, *, wants_cut: bool) -> None:
        if arrival is None:
            self._hand_on_sound(packet)
            return
        if packet.codec is not None:
            self.coding = Coding(packet.codec, self.coding.audio)
            self._publisher.set_codec(packet.codec)
            self._recorder.set_coding(self.coding)
        stamped = self._stamper.stamp(packet, arrival)
        self._publisher.offer(stamped)
        if self._stamper.has_leapt:
            self._recorder.leap(GapCause.WORKER, "the server's clock was set forward")
        elif wants_cut:
            self._recorder.cut(is_counted_anew=True)
        self._recorder.camera_offset_us = self._stamper.camera_offset_us
        self._recorder.add_video(stamped)

    def _hand_on_sound(self, packet: SourcePacket) -> None:
        if self._sound is not None:
            for piece in self._sound.pieces(packet):
                self._recorder.add_audio(self._stamper.stamp_sound(piece, packet.arrival_us))
