"""The reading thread of a child: opens the source, reads it, stamps, publishes, and hands over to the packet
loop.

It blocks in FFmpeg or on the network for as long as the drivers' time limits allow; the packet loop never
does. It is the only thread that touches the source and the publisher.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from omma_engine.capture.backoff import Backoff
from omma_engine.capture.causes import state_after
from omma_engine.capture.mailbox import Broken, Mailbox, Opened, Picture
from omma_engine.capture.sound import SoundTrack
from omma_engine.capture.stamping import Stamper
from omma_engine.clock import Clock
from omma_engine.errors import SourceEndedError, SourceError
from omma_engine.ports import PacketPublisher
from omma_engine.record.recorder import Coding
from omma_engine.sources.base import Media, PacketSource, SourceInfo, SourcePacket

logger = logging.getLogger(__name__)

_SETTLE_US = 500_000
_HANG_US = 45_000_000


@dataclass(slots=True)
class Figures:
    """What was read since the child started; written by the reading thread only."""

    packets: int = 0
    bytes: int = 0
    last_packet_us: int = 0


class SourceReader:
    """Reads one source until it is stopped, and again after each failure."""

    def __init__(
        self,
        make_source: Callable[[], PacketSource],
        publisher: PacketPublisher,
        mailbox: Mailbox,
        clock: Clock,
    ) -> None:
        self._make_source = make_source
        self._publisher = publisher
        self._mailbox = mailbox
        self._clock = clock
        self._backoff = Backoff()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source-reader", daemon=True)
        self._latest_us = 0
        self._alive_us = clock.monotonic_us()
        self._is_waiting = False
        self.figures = Figures()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it may still be blocked in a read, and is not waited for."""
        self._stopping.set()

    @property
    def is_hung(self) -> bool:
        """Return whether the thread is stuck where its time limits should have freed it, or has died."""
        if self._is_waiting or self._stopping.is_set():
            return False
        return not self._thread.is_alive() or self._clock.monotonic_us() - self._alive_us > _HANG_US

    def _run(self) -> None:
        while not self._stopping.is_set():
            began_us = self._clock.monotonic_us()
            error = self._session()
            if self._stopping.is_set():
                return
            self._backoff.healthy_for((self._clock.monotonic_us() - began_us) / 1_000_000)
            self._mailbox.put(Broken(error, state_after(error)))
            self._is_waiting = True
            if isinstance(error, SourceEndedError):
                return
            self._stopping.wait(self._backoff.after(error))
            self._is_waiting = False
            self._alive_us = self._clock.monotonic_us()

    def _session(self) -> SourceError:
        """Read the source from its opening to its failure, which is returned."""
        source: PacketSource | None = None
        try:
            source = self._make_source()
            self._pump(source, source.open())
        except SourceError as error:
            return error
        except Exception as error:
            logger.exception("reading the source failed in a way that no driver foresees")
            return SourceError(f"unforeseen: {type(error).__name__}")
        finally:
            if source is not None:
                source.close()
        return SourceError("the reading was stopped")

    def _pump(self, source: PacketSource, info: SourceInfo) -> None:
        self._alive_us = self._clock.monotonic_us()
        session = _Session(info, self._publisher, self._mailbox, self._clock, not_before_us=self._latest_us)
        try:
            while not self._stopping.is_set():
                packet = source.read()
                self._alive_us = self._clock.monotonic_us()
                self.figures.packets += packet.media is Media.VIDEO
                self.figures.bytes += len(packet.data)
                self.figures.last_packet_us = packet.arrival_us
                session.take(packet)
        finally:
            session.settle()
            self._latest_us = session.latest_us


class _Session:
    """One opening of the source: stamps its packets and hands them on."""

    def __init__(
        self,
        info: SourceInfo,
        publisher: PacketPublisher,
        mailbox: Mailbox,
        clock: Clock,
        *,
        not_before_us: int,
    ) -> None:
        self._publisher = publisher
        self._mailbox = mailbox
        self._stamper = Stamper(info, clock, not_before_us=not_before_us)
        self._sound = SoundTrack(info.audio) if info.audio else None
        self._settling: list[tuple[SourcePacket, bool]] | None = []
        publisher.set_codec(info.video)
        mailbox.put(Opened(self._coding(info)))

    @property
    def latest_us(self) -> int:
        return self._stamper.latest_us

    def take(self, packet: SourcePacket) -> None:
        wants_cut = packet.media is Media.VIDEO and self._stamper.observe(packet)
        if self._settling is None:
            self._hand_on(packet, wants_cut=wants_cut)
            return
        self._settling.append((packet, wants_cut))
        if packet.arrival_us - self._settling[0][0].arrival_us >= _SETTLE_US:
            self.settle()

    def settle(self) -> None:
        """Stamp and hand on what was held since the opening."""
        held, self._settling = self._settling, None
        for packet, wants_cut in held or ():
            self._hand_on(packet, wants_cut=wants_cut)

    def _hand_on(self, packet: SourcePacket, *, wants_cut: bool) -> None:
        if packet.media is Media.AUDIO:
            self._hand_on_sound(packet)
            return
        if packet.codec is not None:
            self._stamper.change_codec(packet.codec)
            self._publisher.set_codec(packet.codec)
            audio = self._sound.format if self._sound else None
            self._mailbox.put(Opened(Coding(packet.codec, audio), is_change=True))
        stamped = self._stamper.stamp(packet)
        self._publisher.offer(stamped)
        self._mailbox.put_picture(Picture(stamped, wants_cut))

    def _hand_on_sound(self, packet: SourcePacket) -> None:
        if self._sound is not None:
            for piece in self._sound.pieces(packet):
                self._mailbox.put(self._stamper.stamp_sound(piece, packet.arrival_us))

    def _coding(self, info: SourceInfo) -> Coding:
        return Coding(info.video, self._sound.format if self._sound else None)
