"""RTCP: what a camera's sender reports say of its clock, and the reports that it wants (RFC 3550, 6.4)."""

import struct

_SENDER_REPORT = 200
_NTP_TO_UNIX_S = 2_208_988_800
_NTP_ERA_S = 1 << 32
_REPORT = struct.Struct(">IIII")  # sender, NTP seconds and fraction, RTP time


def sender_report(packet: memoryview) -> tuple[int, int] | None:
    """Return UTC in microseconds and the RTP time (32 bits) that belong together, from a compound packet."""
    position = 0
    while position + 8 <= len(packet):
        kind, words = packet[position + 1], int.from_bytes(packet[position + 2 : position + 4], "big")
        if packet[position] >> 6 != 2:
            return None
        if kind == _SENDER_REPORT and words >= 6 and position + 28 <= len(packet):
            _, seconds, fraction, ticks = _REPORT.unpack_from(packet, position + 4)
            if not seconds:
                return None
            if seconds < _NTP_TO_UNIX_S:
                seconds += _NTP_ERA_S  # the era that begins in 2036
            return (seconds - _NTP_TO_UNIX_S) * 1_000_000 + (fraction * 1_000_000 >> 32), ticks
        position += 4 + 4 * words
    return None


def receiver_report(own_id: int) -> bytes:
    """Return the least that a receiver says: an empty report and its name."""
    name = b"omma"
    item = struct.pack(">BB", 1, len(name)) + name
    item += bytes(4 - len(item) % 4)
    report = struct.pack(">BBHI", 0x80, 201, 1, own_id)
    return report + struct.pack(">BBHI", 0x81, 202, 1 + len(item) // 4, own_id) + item
