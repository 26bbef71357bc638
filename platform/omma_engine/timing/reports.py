"""Sender reports: the camera's own word on the time of a packet.

FFmpeg's RTP demuxer hands out two kinds of side data (libavformat/rtpdec.c): `rtcp_sr`, once after each
report, and `prft` (AVProducerReferenceTime: int64 wall clock in microseconds since the Unix epoch, int
flags), the packet's capture time worked out from the last report (RFC 3550, section 6.4.1).
"""

import struct
from typing import Protocol

_PRODUCER_REFERENCE_TIME = struct.Struct("=q")


class PacketWithSideData(Protocol):
    """The part of `av.Packet` that is read here."""

    def has_sidedata(self, dtype: str) -> bool: ...
    def get_sidedata(self, dtype: str) -> bytes: ...


def reported_capture_us(packet: PacketWithSideData) -> int | None:
    """Return the camera's capture time of a packet that follows a new sender report, else None.

    Packets between two reports are not asked: their `prft` only extrapolates the same report.
    """
    if not packet.has_sidedata("rtcp_sr") or not packet.has_sidedata("prft"):
        return None
    (wall_clock_us,) = _PRODUCER_REFERENCE_TIME.unpack_from(bytes(packet.get_sidedata("prft")))
    return int(wall_clock_us)
