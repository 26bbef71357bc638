"""RTP payloads to pictures in Annex B: RFC 6184 (H.264) and RFC 7798 (H.265)."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from omma_engine.sources.interleaved.rtp import RtpPacket

_START = b"\x00\x00\x00\x01"
_MOST_BYTES = 16 * 1024 * 1024
_RTP_BYTES = 12
_H264_HEADS = struct.Struct(">HHHHIIBB")
_HEVC_HEADS = struct.Struct(">HHHHIIHB")
_RECOVERY_POINT = 6  # SEI payload type: decoding may begin here (H.264, D.2.8)


class Picture(NamedTuple):
    """One access unit. `is_corrupt`: a part of it did not come. `starts`: where its start codes are."""

    data: bytes
    ticks: int
    is_keyframe: bool
    is_corrupt: bool
    starts: tuple[int, ...]


class Middle(NamedTuple):
    """What the middle parts of one unit have in common.

    `heads` unpacks the headers of interleaving and RTP and then `words`, with which all these payloads begin;
    `offset` is where a part's own bytes are, from the RTP header on.
    """

    heads: struct.Struct
    words: tuple[int, int]
    offset: int


class PictureAssembler:
    """Puts the pictures of one stream together. One thread.

    A picture ends with the packet that is marked as its last; where a camera marks others too, it ends where
    the time changes, from the first such picture on. A clock that stands still is no reason to doubt them.
    """

    def __init__(self, codec: str) -> None:
        self._units = H264Units() if codec == "h264" else HevcUnits()
        self._pieces: list[bytes | memoryview] = []
        self._starts: list[int] = []
        self._size = 0
        self._ticks = 0
        self._ended_ticks: int | None = None
        self._trusts_marks = True
        self._is_corrupt = False

    def take(self, packet: RtpPacket) -> list[Picture]:
        """Return the pictures that end with this packet."""
        done = self._end_of_earlier(packet)
        if packet.lost:
            self._is_corrupt = True
            self._units.forget_fragment()
        before = len(self._pieces)
        if not self._units.append_to(self._pieces, packet.payload):
            self._is_corrupt = True
        for piece in self._pieces[before:]:
            if piece is _START:
                self._starts.append(self._size)
            self._size += len(piece)
        if self._size > _MOST_BYTES:
            self._drop()
            self._units.forget_fragment()
        elif packet.is_marked and self._trusts_marks and self._units.has_slice:
            done.append(self._finish())
        return done

    @property
    def middle(self) -> "Middle | None":
        """Return how the parts begin that are neither the first nor the last of the unit that has begun."""
        return self._units.middle if self._pieces else None

    def append_middles(self, parts: Sequence[memoryview]) -> None:
        """Append such parts, without their headers."""
        self._pieces += parts
        self._size += sum(map(len, parts))

    def hold(self) -> None:
        """Copy what is held of a picture that has not ended: the buffer it lies in is used again."""
        if self._pieces:
            self._pieces = [b"".join(self._pieces)]

    def _end_of_earlier(self, packet: RtpPacket) -> list[Picture]:
        if packet.ticks == self._ticks:
            if self._ended_ticks == packet.ticks and not self._pieces:
                self._trusts_marks = self._trusts_marks and self._units.begins_picture(packet.payload)
            return []
        done = [self._finish()] if self._pieces and self._units.has_slice else []
        self._ticks = packet.ticks
        return done

    def _finish(self) -> Picture:
        data, starts = b"".join(self._pieces), tuple(self._starts)
        picture = Picture(data, self._ticks, self._units.is_keyframe, self._is_corrupt, starts)
        self._ended_ticks = self._ticks
        self._drop()
        self._is_corrupt = False
        return picture

    def _drop(self) -> None:
        self._pieces, self._starts, self._size, self._is_corrupt = [], [], 0, True
        self._units.begin_picture()


class _Units:
    """What is common: a picture's units, some of them in fragments."""

    def __init__(self) -> None:
        self.begin_picture()
        self.middle: Middle | None = None  # while a unit comes in fragments

    def begin_picture(self) -> None:
        self.is_keyframe = False
        self.has_slice = False

    def forget_fragment(self) -> None:
        """A part of a fragmented unit is missing: its rest is of no use."""
        self.middle = None


class H264Units(_Units):
    """The units of H.264 (RFC 6184, 5.4, packetization modes 0 and 1)."""

    def append_to(self, pieces: list[bytes | memoryview], payload: memoryview) -> bool:
        """Append what a payload holds, and return whether it could be used."""
        head = payload[0]
        kind = head & 0x1F
        if kind == 28:
            return self._fragment(pieces, payload)
        if 1 <= kind <= 23:
            self._note(kind, payload)
            pieces += (_START, payload)
            return True
        if kind == 24:
            units = list(_aggregated(payload, 1))
            for unit in units:
                self._note(unit[0] & 0x1F, unit)
                pieces += (_START, unit)
            return bool(units)
        return False

    def begins_picture(self, payload: memoryview) -> bool:
        """Return whether a payload begins a picture: with what precedes slices, or with its first slice.

        That one's header begins with the macroblock number 0, which is one bit that is set (7.3.3).
        """
        kind, first = payload[0] & 0x1F, payload[1:2]
        if kind == 28:
            is_start = len(payload) > 2 and payload[1] & 0x80
            kind, first = (payload[1] & 0x1F if is_start else 0), payload[2:3]
        return 6 <= kind <= 9 or kind == 24 or (1 <= kind <= 5 and bytes(first) >= b"\x80")

    def _fragment(self, pieces: list[bytes | memoryview], payload: memoryview) -> bool:
        if len(payload) < 3:
            return False
        head = payload[1]
        if head & 0x80:
            self._note(head & 0x1F, payload[:0])
            pieces += (_START, bytes((payload[0] & 0xE0 | head & 0x1F,)))
            self.middle = Middle(_H264_HEADS, (payload[0], head & 0x1F), _RTP_BYTES + 2)
        elif self.middle is None:
            return False
        if head & 0x40:
            self.middle = None
        pieces.append(payload[2:])
        return True

    def _note(self, kind: int, unit: memoryview) -> None:
        if 1 <= kind <= 5:
            self.has_slice = True
            self.is_keyframe = self.is_keyframe or kind == 5
        elif kind == 6 and _has_recovery_point(unit):
            self.is_keyframe = True


class HevcUnits(_Units):
    """The units of H.265 (RFC 7798, 4.4, without decoding order numbers)."""

    def append_to(self, pieces: list[bytes | memoryview], payload: memoryview) -> bool:
        if len(payload) < 3:
            return False
        kind = payload[0] >> 1 & 0x3F
        if kind == 49:
            return self._fragment(pieces, payload)
        if kind == 48:
            units = list(_aggregated(payload, 2))
            for unit in units:
                self._note(unit[0] >> 1 & 0x3F)
                pieces += (_START, unit)
            return bool(units)
        if kind > 48:
            return False
        self._note(kind)
        pieces += (_START, payload)
        return True

    def begins_picture(self, payload: memoryview) -> bool:
        """Return whether a payload begins a picture; `first_slice_segment_in_pic_flag` leads a slice."""
        kind, first = payload[0] >> 1 & 0x3F, payload[2:3]
        if kind == 49:
            is_start = len(payload) > 3 and payload[2] & 0x80
            kind, first = (payload[2] & 0x3F if is_start else 63), payload[3:4]
        return 32 <= kind <= 39 or kind == 48 or (kind < 32 and bytes(first) >= b"\x80")

    def _fragment(self, pieces: list[bytes | memoryview], payload: memoryview) -> bool:
        head = payload[2]
        if head & 0x80:
            self._note(head & 0x3F)
            pieces += (_START, bytes((payload[0] & 0x81 | (head & 0x3F) << 1, payload[1])))
            self.middle = Middle(_HEVC_HEADS, (payload[0] << 8 | payload[1], head & 0x3F), _RTP_BYTES + 3)
        elif self.middle is None:
            return False
        if head & 0x40:
            self.middle = None
        pieces.append(payload[3:])
        return True

    def _note(self, kind: int) -> None:
        if kind < 32:
            self.has_slice = True
            self.is_keyframe = self.is_keyframe or 16 <= kind <= 23


def _aggregated(payload: memoryview, start: int) -> Iterator[memoryview]:
    """Yield the units of an aggregation packet, up to the first that is cut short."""
    while start + 2 < len(payload):
        end = start + 2 + int.from_bytes(payload[start : start + 2], "big")
        if end > len(payload) or end == start + 2:
            return
        yield payload[start + 2 : end]
        start = end


def _has_recovery_point(unit: memoryview) -> bool:
    """Walk the messages of an H.264 SEI unit (7.3.2.3.1)."""
    position, end = 1, len(unit) - 2
    while position < end:
        kind = size = 0
        while position < end and unit[position] == 0xFF:
            kind, position = kind + 255, position + 1
        kind, position = kind + unit[position], position + 1
        if kind == _RECOVERY_POINT:
            return True
        while position < end and unit[position] == 0xFF:
            size, position = size + 255, position + 1
        position += 1 + size + unit[position]
    return False
