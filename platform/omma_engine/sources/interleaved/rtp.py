"""RTP packets: their header, and what was lost between them (RFC 3550, 5.1)."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">BBHII")
_HEADER_BYTES = 12
_PLAIN = 0x80  # version 2, no padding, no extension, no contributing sources
_MARKER = 0x80


class RtpPacket(NamedTuple):
    """One packet; `ticks` counts on beyond 32 bits, and `lost` is how many did not come before it."""

    payload: memoryview
    ticks: int
    is_marked: bool
    lost: int


class RtpReceiver:
    """The packets of one medium, in the order that they come in. One thread."""

    def __init__(self, payload_type: int) -> None:
        self._payload_type = payload_type
        self._sequence: int | None = None
        self._ticks = 0

    def take(self, packet: memoryview) -> RtpPacket | None:
        """Return the packet; None for one that is malformed, of another payload type, or came before."""
        if len(packet) <= _HEADER_BYTES:
            return None
        first, second, sequence, ticks, _ = _HEADER.unpack_from(packet)
        if second & 0x7F != self._payload_type:
            return None
        payload = packet[_HEADER_BYTES:] if first == _PLAIN else _unwrapped(packet, first)
        if not payload:
            return None
        lost = 0
        if self._sequence is None:
            self._ticks = ticks
        else:
            lost = (sequence - self._sequence - 1) & 0xFFFF
            if lost == 0xFFFF:
                return None  # the same once more
        self._sequence = sequence
        self._ticks = self.ticks_near(ticks)
        return RtpPacket(payload, self._ticks, second >= _MARKER, lost)

    @property
    def next_plain(self) -> tuple[int, int, int, int] | None:
        """Return how a packet begins that plainly goes on with the last one's picture; None before any.

        The first two bytes of its header, its sequence number and its time.
        """
        if self._sequence is None:
            return None
        return _PLAIN, self._payload_type, (self._sequence + 1) & 0xFFFF, self._ticks & 0xFFFF_FFFF

    def took_plain(self, count: int) -> None:
        """Note that so many packets that began as `next_plain` says were taken elsewhere."""
        if self._sequence is not None:
            self._sequence = (self._sequence + count) & 0xFFFF

    def ticks_near(self, ticks: int) -> int:
        """Return 32 bits of the clock as the full count that is nearest to the last packet's."""
        return self._ticks + ((ticks - self._ticks + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def _unwrapped(packet: memoryview, first: int) -> memoryview | None:
    """Return the payload behind contributing sources and an extension, without padding."""
    if first >> 6 != 2:
        return None
    start, end = _HEADER_BYTES + 4 * (first & 0x0F), len(packet)
    if first & 0x10 and start + 4 <= end:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= packet[-1]
    return packet[start:end] if start < end else None
