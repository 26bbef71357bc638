"""What a reader knows, without a connection: where it stands, and which packets may be handed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast
from uuid import UUID

from apps.streams.bus.wire import (
    EntryId,
    Fields,
    WirePacket,
    decode_codec,
    decode_packet,
    decode_sizes,
    packets_key,
    sizes_key,
)
from omma_engine.ports import DemandLevel
from omma_engine.types import CodecInfo, EncodedPacket, PacketSizes

BusItem = CodecInfo | EncodedPacket | PacketSizes
Entries = Sequence[tuple[bytes, Fields]]
Reply = Sequence[tuple[bytes, Entries]]

# as redis types what XREAD is asked for
Keys: TypeAlias = "dict[bytes | str | memoryview[int], int | bytes | str | memoryview[int]]"

START = EntryId(0, 0)
RENEW_EVERY_S = 1.0
SILENCE_S = 2.0  # after this much silence the reader checks that the bus did not start afresh
READ_COUNT = 64


def as_reply(raw: object) -> Reply:
    """Return what XREAD answered; its type covers protocols and decodings that are not in use here."""
    return cast("Reply", raw or ())


def newest_of(entries: Sequence[tuple[object, object]] | None) -> EntryId | None:
    """Return the id in the answer of XREVRANGE with a count of one."""
    return EntryId.parse(cast("bytes", entries[0][0])) if entries else None  # ditto


@dataclass(slots=True)
class Position:
    """A reader's place in one stream. What comes before a keyframe, at first or after a hole, is left out."""

    stream_id: UUID
    level: DemandLevel
    last: EntryId | None = None  # the newest entry seen; none before the reader has a place
    last_sizes: str = "0-0"
    missed: int = 0
    _kept: EntryId | None = None  # the newest packet that was handed out
    _next_number: int | None = None
    _codec: bytes | None = None

    def start_at(self, newest: EntryId | None) -> None:
        """Begin with the GOP that the newest entry belongs to, so that the first picture does not wait."""
        self.last = newest.before_gop if newest else START

    def check_newest(self, newest: EntryId | None) -> None:
        """The bus was silent: when its ids are below ours, it started afresh, and so do we."""
        if self.last is not None and newest is not None and newest < self.last:
            self._kept = None
            self.start_at(newest)

    def set_level(self, level: DemandLevel) -> None:
        if level is DemandLevel.EVERYTHING and level is not self.level and self._kept is not None:
            self.last = self._kept  # what was passed over since the keyframe is wanted now
        self._next_number = None
        self.level = level

    def keys(self) -> Keys:
        """Return what to read, as XREAD wants it."""
        keys: Keys = {packets_key(self.stream_id): str(self.last or START)}
        if self.level is DemandLevel.KEYFRAMES:
            keys[sizes_key(self.stream_id)] = self.last_sizes
        return keys

    def accept(self, reply: Reply) -> list[BusItem]:
        """Take what XREAD brought and return what may be handed out, in order."""
        items: list[BusItem] = []
        for key, entries in reply:
            if key == packets_key(self.stream_id).encode("ascii"):
                items += self._accept_packets(entries)
            else:
                self.last_sizes = entries[-1][0].decode("ascii")
                items += [decode_sizes(fields) for _, fields in entries]
        return items

    def _accept_packets(self, entries: Entries) -> list[BusItem]:
        items: list[BusItem] = []
        passed_over: list[tuple[int, int]] = []
        for raw_id, fields in entries:
            entry, found = EntryId.parse(raw_id), decode_packet(fields)
            self.last = entry
            if entry.index == 0:
                items += self._accept_keyframe(entry, found)
            elif self.level is DemandLevel.KEYFRAMES:
                passed_over.append((found.packet.capture_us, len(found.packet.data)))
            elif self._kept == EntryId(entry.gop, entry.index - 1):
                items.append(self._keep(entry, found))
        if passed_over:
            items.append(PacketSizes(tuple(passed_over)))
        return items

    def _accept_keyframe(self, entry: EntryId, found: WirePacket) -> list[BusItem]:
        items: list[BusItem] = []
        if self.level is DemandLevel.EVERYTHING and self._next_number is not None:
            self.missed += max(0, found.number - self._next_number)
        if found.codec is not None and found.codec != self._codec:
            self._codec = found.codec
            items.append(decode_codec(found.codec))
        items.append(self._keep(entry, found))
        return items

    def _keep(self, entry: EntryId, found: WirePacket) -> EncodedPacket:
        self._kept = entry
        self._next_number = found.number + 1
        return found.packet
