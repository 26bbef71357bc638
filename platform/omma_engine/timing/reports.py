"""Sender reports: the camera's own word on the time of a packet.

FFmpeg's RTP demuxer hands out two kinds of side data (libavformat/rtpdec.c): `rtcp_sr`, once after each
report, and `prft` (AVProducerReferenceTime: int64 wall clock in microseconds since the Unix epoch, int
flags), the packet's capture time worked out from the last report (RFC 3550, section 6.4.1).
"""

import struct

from av.packet import Packet
from av.stream import Stream

_PRODUCER_REFERENCE_TIME = struct.Struct("=q")


def reported_capture_us(packet: "Packet[Stream]") -> int | None:
    """Return the camera's capture time of a packet that follows a new sender report, else None.

    Packets between two reports are not asked: their `prft` only extrapolates the same report.
    """
    if not packet.has_sidedata("rtcp_sr") or not packet.has_sidedata("prft"):
        return None
    (wall_clock_us,) = _PRODUCER_REFERENCE_TIME.unpack_from(bytes(packet.get_sidedata("prft")))
    return int(wall_clock_us)
