"""One stream's side of the publisher: the current GOP in memory, and what of it is still to be sent.

No connection and no thread of its own: `offer` is called from the packet loop, `take` from the sender.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from apps.streams.bus.wire import EntryId, encode_codec, encode_packet, encode_sizes
from omma_engine.clock import Clock
from omma_engine.ports import DemandLevel
from omma_engine.types import CodecInfo, EncodedPacket

MAX_BYTES = 16 * 1024 * 1024
KEEP_MS = 4_000
KEEP_GOPS = 2
SIZES_EVERY_US = 200_000
MAX_SIZES = 64


@dataclass(slots=True)
class Gop:
    """Packets from one keyframe on. `base` is the index of the first one that is still held."""

    number: int
    codec: bytes
    first_packet: int
    packets: list[EncodedPacket] = field(default_factory=list)
    base: int = 0
    sent: int = 0
    size: int = 0
    is_dropped: bool = False

    @property
    def end(self) -> int:
        return self.base + len(self.packets)

    def has_unsent(self, level: DemandLevel) -> bool:
        wanted = self.end if level is DemandLevel.EVERYTHING else min(int(level), self.end)
        return not self.is_dropped and self.base <= self.sent < wanted

    def unsent(self, level: DemandLevel) -> list[tuple[EntryId, dict[bytes, bytes]]]:
        """Return the entries that this level still wants, in order."""
        if not self.has_unsent(level):
            return []
        last = self.end if level is DemandLevel.EVERYTHING else 1
        return [(EntryId(self.number, index), self._entry(index)) for index in range(self.sent, last)]

    def drop(self) -> int:
        """Send nothing more of this GOP, hold nothing of it, and return how many packets that loses."""
        lost = self.end - self.sent
        self.base, self.packets, self.size, self.is_dropped = self.end, [], 0, True
        return lost

    def forget_sent(self) -> None:
        """Let go of what has been sent: no reader that comes later can have this GOP."""
        gone = max(0, self.sent - self.base)
        self.size -= sum(len(packet.data) for packet in self.packets[:gone])
        del self.packets[:gone]
        self.base += gone

    def _entry(self, index: int) -> dict[bytes, bytes]:
        codec = self.codec if index == 0 else None
        return encode_packet(self.packets[index - self.base], self.first_packet + index, codec)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the sender has to write for one stream, in one round trip."""

    stream_id: UUID
    entries: list[tuple[EntryId, dict[bytes, bytes]]]
    sizes: dict[bytes, bytes] | None
    trim_before: EntryId | None
    is_end: bool  # nobody reads any more: remove what is there


@dataclass(frozen=True, slots=True)
class OutletFigures:
    """Counts since the outlet was made."""

    offered: int
    sent: int
    dropped: int
    held_bytes: int


class Outlet:
    """Holds the current GOP, bounded, and hands out what readers want of it. Thread-safe."""

    def __init__(self, stream_id: UUID, *, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self.stream_id = stream_id
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._codec = b""
        self._level = DemandLevel.NONE
        self._gop: Gop | None = None
        self._late: deque[Gop] = deque()  # older GOPs of which something is still unsent
        self._on_bus: deque[tuple[int, int]] = deque()  # (gop, bytes) of what the bus holds
        self._sizes: list[tuple[int, int]] = []
        self._sizes_since_us = 0
        self._floor = 0
        self._offered = self._sent = self._dropped = 0

    @property
    def level(self) -> DemandLevel:
        return self._level

    @property
    def figures(self) -> OutletFigures:
        with self._lock:
            held = (self._gop.size if self._gop else 0) + sum(gop.size for gop in self._late)
            return OutletFigures(self._offered, self._sent, self._dropped, held)

    def set_codec(self, info: CodecInfo) -> None:
        """State the codec; it takes effect with the next keyframe."""
        self._codec = encode_codec(info)

    def set_level(self, level: DemandLevel) -> bool:
        """Take the readers' demand and return whether the sender has something to do."""
        with self._lock:
            is_changed = level is not self._level
            self._level = level
            return is_changed

    def offer(self, packet: EncodedPacket) -> bool:
        """Take a packet and return whether the sender has something to do."""
        with self._lock:
            self._offered += 1
            if packet.is_keyframe:
                self._begin_gop()
            elif self._gop is None:
                return False
            self._append(packet)
            if self._level is not DemandLevel.KEYFRAMES or packet.is_keyframe:
                return self._level is not DemandLevel.NONE
            return self._note_size(packet)

    def take(self) -> Batch | None:
        """Return what is to be written now and count it as sent; `lost` takes that back."""
        with self._lock:
            if self._level is DemandLevel.NONE:
                return self._take_end()
            entries = [entry for gop in (*self._late, *self._current()) for entry in self._take_from(gop)]
            self._late.clear()
            sizes = self._take_sizes()
            if not entries and sizes is None:
                return None
            return Batch(self.stream_id, entries, sizes, self._trim_before(), is_end=False)

    def lost(self, batch: Batch, *, floor: int = 0) -> None:
        """The bus refused a batch: drop the GOPs in it and go on with the next keyframe."""
        with self._lock:
            self._sent -= len(batch.entries)
            self._dropped += len(batch.entries)
            self._floor = max(self._floor, floor)
            if self._gop is not None:
                self._dropped += self._gop.drop()

    def _begin_gop(self) -> None:
        previous = self._gop
        if previous is not None and previous.has_unsent(self._level):
            self._late.append(previous)
            while len(self._late) > 1 and sum(gop.size for gop in self._late) > self._max_bytes:
                self._dropped += self._late.popleft().drop()
        lowest = max(self._floor, previous.number if previous else 0) + 1
        number = max(lowest, self._clock.now_us() // 1000)
        self._gop = Gop(number, self._codec, self._offered)

    def _append(self, packet: EncodedPacket) -> None:
        gop = self._gop
        if gop is None:
            return
        if gop.is_dropped:
            gop.base += 1
            gop.sent += 1
            self._dropped += self._level is DemandLevel.EVERYTHING
            return
        gop.packets.append(packet)
        gop.size += len(packet.data)
        if gop.size > self._max_bytes:
            gop.forget_sent()
        if gop.size > self._max_bytes:
            lost = gop.drop()
            self._dropped += lost if self._level is DemandLevel.EVERYTHING else 0

    def _note_size(self, packet: EncodedPacket) -> bool:
        if not self._sizes:
            self._sizes_since_us = self._clock.monotonic_us()
        self._sizes.append((packet.capture_us, len(packet.data)))
        if len(self._sizes) > MAX_SIZES:
            del self._sizes[0]
        return self._clock.monotonic_us() - self._sizes_since_us >= SIZES_EVERY_US

    def _current(self) -> tuple[Gop, ...]:
        return (self._gop,) if self._gop is not None else ()

    def _take_from(self, gop: Gop) -> list[tuple[EntryId, dict[bytes, bytes]]]:
        entries = gop.unsent(self._level)
        if entries:
            gop.sent = entries[-1][0].index + 1
            self._sent += len(entries)
            self._count_on_bus(gop.number, sum(len(fields[b"d"]) for _, fields in entries))
        return entries

    def _take_sizes(self) -> dict[bytes, bytes] | None:
        if self._level is not DemandLevel.KEYFRAMES:
            self._sizes.clear()
        if not self._sizes or self._clock.monotonic_us() - self._sizes_since_us < SIZES_EVERY_US:
            return None
        encoded = encode_sizes(self._sizes)
        self._sizes.clear()
        return encoded

    def _take_end(self) -> Batch | None:
        """Nobody reads: what the bus holds is removed; the next reader gets the current GOP whole."""
        self._late.clear()
        self._sizes.clear()
        if not self._on_bus:
            return None
        self._on_bus.clear()
        if self._gop is not None and not self._gop.is_dropped:
            self._gop.sent = 0
        return Batch(self.stream_id, [], None, None, is_end=True)

    def _count_on_bus(self, gop: int, size: int) -> None:
        if self._on_bus and self._on_bus[-1][0] == gop:
            size += self._on_bus.pop()[1]
        self._on_bus.append((gop, size))

    def _trim_before(self) -> EntryId | None:
        """Return the id below which the bus shall hold nothing: by time, and by bytes whatever the time."""
        held, trimmed = self._on_bus, False
        oldest_ms = self._clock.now_us() // 1000 - KEEP_MS
        while len(held) > 1 and (
            sum(size for _, size in held) > self._max_bytes
            # a GOP lasts until the next one begins
            or (len(held) > KEEP_GOPS and held[1][0] < oldest_ms)
        ):
            held.popleft()
            trimmed = True
        if trimmed:
            return EntryId(held[0][0], 0)
        return self._trim_inside()

    def _trim_inside(self) -> EntryId | None:
        """One GOP alone is above the limit: let go of its first half; who comes late waits for the next."""
        gop, size = self._on_bus[-1] if self._on_bus else (0, 0)
        if size <= self._max_bytes or self._gop is None:
            return None
        self._on_bus[-1] = (gop, size // 2)
        return EntryId(gop, self._gop.sent // 2)
