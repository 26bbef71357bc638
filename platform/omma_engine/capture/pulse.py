"""The beats of a child: that it lives, and its figures."""

from omma_engine.capture.mailbox import Mailbox
from omma_engine.capture.messages import Beat
from omma_engine.capture.session import Figures
from omma_engine.types import SourceState

BEAT_US = 500_000


class Pulse:
    """Says when a beat is due and what is in it. Times are microseconds of a monotonic clock."""

    def __init__(self, figures: Figures, mailbox: Mailbox) -> None:
        self._figures = figures
        self._mailbox = mailbox
        self._beat_us = 0
        self._packets = self._bytes = 0

    def is_due(self, now_us: int) -> bool:
        return now_us - self._beat_us >= BEAT_US

    def beat(self, now_us: int, state: SourceState) -> Beat:
        """Return a beat of the packet loop, with the rates since the one before it."""
        figures = self._figures
        elapsed_us = max(1, now_us - self._beat_us) if self._beat_us else BEAT_US
        beat = self._counts(state)
        beat["bitrate_bps"] = (figures.bytes - self._bytes) * 8_000_000 // elapsed_us
        beat["frame_rate"] = round((figures.packets - self._packets) * 1_000_000 / elapsed_us, 2)
        self._beat_us, self._packets, self._bytes = now_us, figures.packets, figures.bytes
        return beat

    def beat_at_disk(self, seconds: float, state: SourceState) -> Beat:
        """Return a beat in the stead of a packet loop that waits for the disk; from the reading thread."""
        beat = self._counts(state)
        beat["disk_wait_s"] = round(seconds, 1)
        return beat

    def _counts(self, state: SourceState) -> Beat:
        return Beat(
            state=state,
            packets=self._figures.packets,
            bytes=self._figures.bytes,
            dropped=self._mailbox.dropped,
            bitrate_bps=0,
            frame_rate=0.0,
            last_packet_us=self._figures.last_packet_us,
        )
