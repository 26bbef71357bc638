"""What stands on the bus: keys, entries and ids.

An entry of `packets` has the id `<gop>-<index>`: `gop` is the wall time in milliseconds at which the keyframe
was taken, `index` counts the packets of that GOP from 0. So a reader knows from the ids alone where a GOP
begins and whether something is missing, and trimming by id drops whole GOPs.
"""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from omma_engine.ports import DemandLevel
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket, PacketSizes

WAKE_CHANNEL = "omma:bus:wake"  # a reader came or changed its level; the message is the stream's id
RESULTS_PATTERN = "omma:bus:*:results"
DEMAND_EXPIRY_MS = 5_000
MAX_INDEX = (1 << 64) - 1

_META = struct.Struct("!QqqqqqBB")  # number, pts, dts, duration, capture_us, error_us, clock, is_keyframe
_SIZE = struct.Struct("!qI")  # capture_us, bytes
_CLOCKS = tuple(ClockSource)

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True, order=True)
class EntryId:
    """Where a packet stands: its GOP, and its place in it."""

    gop: int
    index: int

    def __str__(self) -> str:
        return f"{self.gop}-{self.index}"

    @classmethod
    def parse(cls, raw: bytes | str) -> "EntryId":
        text = raw.decode("ascii") if isinstance(raw, bytes) else raw
        gop, _, index = text.partition("-")
        return cls(int(gop), int(index or 0))

    @property
    def before_gop(self) -> "EntryId":
        """The last id that is below every id of this GOP."""
        return EntryId(max(0, self.gop - 1), MAX_INDEX)


@dataclass(frozen=True, slots=True)
class WirePacket:
    """A packet as read: `number` counts all packets that the publisher took, sent or not."""

    number: int
    packet: EncodedPacket
    codec: bytes | None


def packets_key(stream_id: UUID) -> str:
    return f"omma:bus:{stream_id}:packets"


def sizes_key(stream_id: UUID) -> str:
    return f"omma:bus:{stream_id}:sizes"


def demand_key(stream_id: UUID) -> str:
    return f"omma:bus:{stream_id}:demand"


def results_channel(stream_id: UUID) -> str:
    return f"omma:bus:{stream_id}:results"


def encode_codec(info: CodecInfo) -> bytes:
    """Return the codec as it stands beside every keyframe, so that no reader depends on an earlier entry."""
    return json.dumps(
        {
            "codec": info.codec,
            "width": info.width,
            "height": info.height,
            "time_base": info.time_base,
            "frame_rate": info.frame_rate,
            "extradata": base64.b64encode(info.extradata).decode("ascii"),
        }
    ).encode("ascii")


def decode_codec(raw: bytes) -> CodecInfo:
    found = json.loads(raw)
    return CodecInfo(
        codec=found["codec"],
        width=found["width"],
        height=found["height"],
        time_base=(found["time_base"][0], found["time_base"][1]),
        extradata=base64.b64decode(found["extradata"]),
        frame_rate=(found["frame_rate"][0], found["frame_rate"][1]),
    )


def encode_packet(packet: EncodedPacket, number: int, codec: bytes | None) -> dict[bytes, bytes]:
    meta = _META.pack(
        number,
        packet.pts,
        packet.dts,
        packet.duration,
        packet.capture_us,
        packet.error_us,
        _CLOCKS.index(packet.clock),
        packet.is_keyframe,
    )
    fields = {b"m": meta, b"d": packet.data}
    if codec is not None:
        fields[b"c"] = codec
    return fields


def decode_packet(fields: Fields) -> WirePacket:
    number, pts, dts, duration, capture_us, error_us, clock, is_keyframe = _META.unpack(fields[b"m"])
    packet = EncodedPacket(
        data=fields[b"d"],
        pts=pts,
        dts=dts,
        duration=duration,
        is_keyframe=bool(is_keyframe),
        capture_us=capture_us,
        clock=_CLOCKS[clock],
        error_us=error_us,
    )
    return WirePacket(number=number, packet=packet, codec=fields.get(b"c"))


def encode_sizes(sizes: Sequence[tuple[int, int]]) -> dict[bytes, bytes]:
    return {b"s": b"".join(_SIZE.pack(capture_us, size) for capture_us, size in sizes)}


def decode_sizes(fields: Fields) -> PacketSizes:
    return PacketSizes(tuple((capture_us, size) for capture_us, size in _SIZE.iter_unpack(fields[b"s"])))


def encode_demand(level: DemandLevel, expiry_ms: int) -> str:
    return f"{int(level)}:{expiry_ms}"


def decode_demand(raw: bytes) -> tuple[DemandLevel, int]:
    """Return the level and its expiry on the bus server's clock; nonsense counts as no demand."""
    level, _, expiry = raw.decode("ascii", "replace").partition(":")
    try:
        return DemandLevel(int(level)), int(expiry)
    except ValueError:
        return DemandLevel.NONE, 0
