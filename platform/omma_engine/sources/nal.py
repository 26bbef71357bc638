"""H.264 and H.265 in Annex B: finding units, parameter sets, and the picture size that they state.

Sources: ITU-T H.264 (08/2021) clauses 7.3.1, 7.3.2.1.1, Annex B; ITU-T H.265 (08/2021) clauses 7.3.1.2,
7.3.2.2, 7.3.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from omma_engine.sources.bits import BitReader

_START = b"\x00\x00\x01"
_PARAMETER_SETS = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
_SEQUENCE_SET = {"h264": 7, "hevc": 33}
_CODED_SLICES = {"h264": frozenset(range(1, 6)), "hevc": frozenset(range(32))}
_CLOSED_ENTRY = {"h264": frozenset({5}), "hevc": frozenset({16, 17, 18, 19, 20})}


def is_annex_b_codec(codec: str) -> bool:
    """Return whether a codec's packets are carried in Annex B here."""
    return codec in _PARAMETER_SETS


def nal_units(data: bytes) -> Iterator[bytes]:
    """Yield the units of an Annex B byte string, without start codes."""
    start = data.find(_START)
    while start >= 0:
        start += 3
        end = data.find(_START, start)
        yield data[start : end if end >= 0 else len(data)].rstrip(b"\x00")
        start = end


def nal_type(codec: str, unit: bytes) -> int:
    """Return the type of a unit."""
    if not unit:
        return -1
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


@dataclass(frozen=True, slots=True)
class AccessUnitHead:
    """What comes before a picture's first slice: its parameter sets, as Annex B, and how it is entered."""

    parameter_sets: bytes
    is_closed_entry: bool


def head_of(codec: str, data: bytes) -> AccessUnitHead:
    """Return the parameter sets of an access unit and whether it is an entry that no later picture reaches
    behind.

    Only what comes before the first slice is looked at.
    """
    sets: list[bytes] = []
    wanted, slices = _PARAMETER_SETS[codec], _CODED_SLICES[codec]
    for unit in _units_up_to_slice(codec, data):
        kind = nal_type(codec, unit)
        if kind in wanted and unit not in sets:
            sets.append(unit)
        elif kind in slices:
            return AccessUnitHead(_join(sets), kind in _CLOSED_ENTRY[codec])
    return AccessUnitHead(_join(sets), is_closed_entry=False)


def _units_up_to_slice(codec: str, data: bytes) -> Iterator[bytes]:
    """Yield units up to the first slice, of which only the header: the rest is not even searched."""
    slices = _CODED_SLICES[codec]
    start = data.find(_START)
    while start >= 0:
        start += 3
        if nal_type(codec, data[start : start + 1]) in slices:
            yield data[start : start + 2]
            return
        end = data.find(_START, start)
        yield data[start : end if end >= 0 else len(data)].rstrip(b"\x00")
        start = end


def _join(units: list[bytes]) -> bytes:
    return b"".join(b"\x00" + _START + unit for unit in units)


def has_sequence_set(codec: str, parameter_sets: bytes) -> bool:
    """Return whether a sequence parameter set is among these units."""
    return any(nal_type(codec, unit) == _SEQUENCE_SET[codec] for unit in nal_units(parameter_sets))


MOST_SIDE_PX = 16_384  # the highest levels of H.264 and H.265 end near it; a movie's fields hold 65,535


def picture_size(codec: str, parameter_sets: bytes) -> tuple[int, int] | None:
    """Return width and height as displayed, from the first sequence parameter set.

    None where there is no such set, or one that was damaged on its way: cut short, or of an impossible size.
    """
    for unit in nal_units(parameter_sets):
        if nal_type(codec, unit) == _SEQUENCE_SET[codec]:
            try:
                size = _h264_size(unit) if codec == "h264" else _hevc_size(unit)
            except IndexError:
                return None
            return size if all(0 < side <= MOST_SIDE_PX for side in size) else None
    return None


H264_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def _h264_size(unit: bytes) -> tuple[int, int]:
    return read_h264_size(BitReader(unit[1:]))


def read_h264_size(bits: BitReader) -> tuple[int, int]:
    """Read a sequence parameter set of H.264 from its profile on, up to its usability information."""
    profile = bits.take(8)
    bits.take(16)
    bits.unsigned()
    chroma = _h264_chroma(bits) if profile in H264_HIGH_PROFILES else 1
    bits.unsigned()
    order_type = bits.unsigned()
    if order_type == 0:
        bits.unsigned()
    elif order_type == 1:
        bits.take(1)
        bits.signed(), bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
    bits.unsigned()
    bits.take(1)
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    frame_only = bits.take(1)
    if not frame_only:
        bits.take(1)
    bits.take(1)
    height = map_units * 16 * (2 - frame_only)
    if not bits.take(1):
        return width, height
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    unit_x = 1 if chroma in {0, 3} else 2
    unit_y = (2 if chroma == 1 else 1) * (2 - frame_only)
    return width - (left + right) * unit_x, height - (top + bottom) * unit_y


def _h264_chroma(bits: BitReader) -> int:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned(), bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for index in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _hevc_size(unit: bytes) -> tuple[int, int]:
    bits = BitReader(unit[2:])
    return read_hevc_size(bits, _hevc_sub_layers(bits))


def _hevc_sub_layers(bits: BitReader) -> int:
    bits.take(4)
    return bits.take(3)


def read_hevc_size(bits: BitReader, sub_layers: int) -> tuple[int, int]:
    """Read a sequence parameter set of H.265 from behind its number of sub-layers, up to its bit depths."""
    bits.take(1)
    skip_profile_tier_level(bits, sub_layers)
    bits.unsigned()
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    width, height = bits.unsigned(), bits.unsigned()
    if not bits.take(1):
        return width, height
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    unit_x, unit_y = (2 if chroma in {1, 2} else 1), (2 if chroma == 1 else 1)
    return width - (left + right) * unit_x, height - (top + bottom) * unit_y


def skip_profile_tier_level(bits: BitReader, sub_layers: int) -> None:
    """Skip what profile and level of H.265 take (7.3.3); `sub_layers` is their number less one."""
    bits.take(96)
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.take(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.take(88 * has_profile + 8 * has_level)
