"""NAL units of H.264 and H.265 in both wrappings: Annex-B start codes, and lengths (ISO/IEC 14496-15)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omma_engine.playback.parameter_sets import parameter_sets

_START_CODE = b"\x00\x00\x01"

# ITU-T H.264 table 7-1 and H.265 table 7-1
_H264_PARAMETER_SETS = frozenset({7, 8})
_H264_DELIMITER = 9
_HEVC_PARAMETER_SETS = frozenset({32, 33, 34})
_HEVC_DELIMITER = 35


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture's NAL units, parameter sets apart, without delimiters."""

    parameter_sets: tuple[bytes, ...]
    units: tuple[bytes, ...]

    @classmethod
    def of(cls, codec: str, units: Iterable[bytes]) -> "AccessUnit":
        sets, others = [], []
        for unit in units:
            kind = unit_kind(codec, unit)
            if kind in (_H264_PARAMETER_SETS if codec == "h264" else _HEVC_PARAMETER_SETS):
                sets.append(unit)
            elif kind != (_H264_DELIMITER if codec == "h264" else _HEVC_DELIMITER):
                others.append(unit)
        return cls(tuple(sets), tuple(others))


def unit_kind(codec: str, unit: bytes) -> int:
    """Return `nal_unit_type` (H.264 7.3.1, H.265 7.3.1.2)."""
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def split(data: bytes, length_bytes: int) -> list[bytes]:
    """Return the NAL units of a packet; `length_bytes` is 0 for Annex-B. What is cut short is left out."""
    return _split_lengths(data, length_bytes) if length_bytes else _split_start_codes(data)


def length_bytes_of(extradata: bytes) -> int:
    """Return how many bytes a length has in packets that go with this extradata; 0 means Annex-B."""
    if len(extradata) < 7 or extradata[0] != 1:
        return 0
    is_hevc_record = len(extradata) >= 23 and extradata[5] & 0xE0 != 0xE0
    return (extradata[21 if is_hevc_record else 4] & 0x03) + 1


def sets_of_extradata(codec: str, extradata: bytes) -> tuple[bytes, ...]:
    """Return the parameter sets in extradata of either wrapping; none when it has none."""
    if not length_bytes_of(extradata):
        return AccessUnit.of(codec, _split_start_codes(extradata)).parameter_sets
    return tuple(_split_lengths(parameter_sets(codec, extradata) or b"", 4))


def with_start_codes(units: Sequence[bytes]) -> bytes:
    """Return the units in Annex-B."""
    return b"".join(b"\x00" + _START_CODE + unit for unit in units)


def with_lengths(units: Sequence[bytes]) -> bytes:
    """Return the units with a length of four bytes each."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def without_emulation_prevention(unit: bytes) -> bytes:
    """Return a unit's payload (H.264 7.4.1.1: `00 00 03` stands for `00 00`)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def _split_start_codes(data: bytes) -> list[bytes]:
    units = []
    start = data.find(_START_CODE)
    while start >= 0:
        end = data.find(_START_CODE, start + 3)
        unit = data[start + 3 : end if end >= 0 else len(data)]
        unit = unit.rstrip(b"\x00")  # a fourth byte of the next start code, or trailing zeros
        if unit:
            units.append(unit)
        start = end
    return units


def _split_lengths(data: bytes, length_bytes: int) -> list[bytes]:
    units, position = [], 0
    while position + length_bytes <= len(data):
        length = int.from_bytes(data[position : position + length_bytes], "big")
        position += length_bytes
        unit = data[position : position + length]
        if unit and len(unit) == length:
            units.append(unit)
        position += length
    return units
