"""RTP and RTCP as a camera speaks them: RFC 3550, RFC 6184 (H.264), RFC 7798 (H.265), RFC 3551 (PCMA)."""

import struct
from collections.abc import Sequence

from tests.farm.nal import VideoCodec, kind_of

VIDEO_CLOCK_HZ = 90_000
AUDIO_CLOCK_HZ = 8_000
VIDEO_PAYLOAD_TYPE = 96
AUDIO_PAYLOAD_TYPE = 8  # PCMA, static

_MAX_PAYLOAD_BYTES = 1400
_NTP_EPOCH_OFFSET_S = 2_208_988_800  # 1900 to 1970
_STAP_A, _FU_A = 24, 28
_HEVC_AP, _HEVC_FU = 48, 49


def aggregate(nals: Sequence[bytes], codec: VideoCodec) -> bytes:
    """Return one payload that carries several small units: STAP-A, or the aggregation packet of H.265."""
    body = b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
    if codec == "h264":
        importance = max(nal[0] & 0x60 for nal in nals)
        return bytes([importance | _STAP_A]) + body
    return struct.pack(">H", _HEVC_AP << 9 | 1) + body


def payloads_of(nal: bytes, codec: VideoCodec) -> list[bytes]:
    """Return the payloads of one unit: itself where it fits, its fragments (FU-A, FU) where it does not."""
    if len(nal) <= _MAX_PAYLOAD_BYTES:
        return [nal]
    if codec == "h264":
        head, kind, skip = bytes([nal[0] & 0xE0 | _FU_A]), nal[0] & 0x1F, 1
    else:
        head, kind, skip = bytes([nal[0] & 0x81 | _HEVC_FU << 1, nal[1]]), kind_of(nal, codec), 2
    step = _MAX_PAYLOAD_BYTES - len(head) - 1
    starts = range(skip, len(nal), step)
    first, last = 0x80, 0x40
    return [
        head
        + bytes([kind | (first if start == starts[0] else 0) | (last if start == starts[-1] else 0)])
        + nal[start : start + step]
        for start in starts
    ]


class RtpTrack:
    """One RTP stream of one session: it numbers packets and counts what its sender reports tell."""

    def __init__(self, *, ssrc: int, payload_type: int, first_sequence: int = 1) -> None:
        self.ssrc = ssrc
        self._payload_type = payload_type
        self.next_sequence = first_sequence
        self._packets = 0
        self._octets = 0

    def packets(self, payloads: Sequence[bytes], rtp_time: int) -> list[bytes]:
        """Return the packets of one picture (or one stretch of sound); the last one carries the marker."""
        packed = []
        final = len(payloads) - 1
        for index, payload in enumerate(payloads):
            marked = self._payload_type | (0x80 if index == final else 0)
            header = struct.pack(">BBHII", 0x80, marked, self.next_sequence, rtp_time & 0xFFFFFFFF, self.ssrc)
            self.next_sequence = (self.next_sequence + 1) & 0xFFFF
            packed.append(header + payload)
        self._packets += len(payloads)
        self._octets += sum(map(len, payloads))
        return packed

    def sender_report(self, utc_us: int, rtp_time: int) -> bytes:
        """Return a compound RTCP packet: this sender's report and its name."""
        seconds, micros = divmod(utc_us, 1_000_000)
        ntp = struct.pack(">II", (seconds + _NTP_EPOCH_OFFSET_S) & 0xFFFFFFFF, (micros << 32) // 1_000_000)
        counts = struct.pack(
            ">III", rtp_time & 0xFFFFFFFF, self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF
        )
        report = struct.pack(">BBHI", 0x80, 200, 6, self.ssrc) + ntp + counts
        item = b"\x01\x04farm\x00\x00"  # CNAME "farm", then the end of the chunk, padded to a word
        return report + struct.pack(">BBHI", 0x81, 202, 1 + len(item) // 4, self.ssrc) + item
