"""What sequence parameter sets say of the order and the rate of pictures.

Sources: ITU-T H.264 (08/2021) E.1.1; ITU-T H.265 (08/2021) 7.3.2.2.1.
"""

from dataclasses import dataclass
from fractions import Fraction

from omma_engine.sources.bits import BitReader
from omma_engine.sources.nal import nal_type, nal_units, read_h264_size, read_hevc_size

_EXTENDED_ASPECT = 255
_FASTEST = 240


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """By how many pictures decoding runs ahead of showing, and the frame rate; 0 where it is not said."""

    reordered: int = 0
    frame_rate: Fraction = Fraction(0)


def picture_order(codec: str, parameter_sets: bytes) -> PictureOrder:
    """Return what the first sequence parameter set says; sets are in Annex B."""
    for unit in nal_units(parameter_sets):
        kind = nal_type(codec, unit)
        try:
            if codec == "h264" and kind == 7:
                return _h264_order(unit)
            if codec == "hevc" and kind == 33:
                return _hevc_order(unit)
        except IndexError:  # a set cut short says nothing
            return PictureOrder()
    return PictureOrder()


def _h264_order(unit: bytes) -> PictureOrder:
    bits = BitReader(unit[1:])
    read_h264_size(bits)
    if not bits.take(1):
        return PictureOrder()
    if bits.take(1) and bits.take(8) == _EXTENDED_ASPECT:
        bits.take(32)
    if bits.take(1):
        bits.take(1)
    if bits.take(1) and bits.take(5) & 1:
        bits.take(24)
    if bits.take(1):
        bits.unsigned(), bits.unsigned()
    rate = _rate(bits) if bits.take(1) else Fraction(0)
    has_timing = [_skip_buffering(bits) for _ in range(2) if bits.take(1)]
    if has_timing:
        bits.take(1)
    bits.take(1)
    return PictureOrder(_restriction(bits) if bits.take(1) else 0, rate)


def _rate(bits: BitReader) -> Fraction:
    units, scale = bits.take(32), bits.take(32)
    bits.take(1)
    rate = Fraction(scale, 2 * units) if units else Fraction(0)
    return rate if rate <= _FASTEST else Fraction(0)


def _skip_buffering(bits: BitReader) -> bool:
    """Skip the parameters of a hypothetical decoder (E.1.2)."""
    count = bits.unsigned() + 1
    bits.take(8)
    for _ in range(count):
        bits.unsigned(), bits.unsigned()
        bits.take(1)
    bits.take(20)
    return True


def _restriction(bits: BitReader) -> int:
    bits.take(1)
    for _ in range(4):
        bits.unsigned()
    return min(bits.unsigned(), 16)


def _hevc_order(unit: bytes) -> PictureOrder:
    bits = BitReader(unit[2:])
    bits.take(4)
    sub_layers = bits.take(3)
    read_hevc_size(bits, sub_layers)
    for _ in range(3):
        bits.unsigned()
    reordered = 0
    for _ in range(sub_layers + 1 if bits.take(1) else 1):
        bits.unsigned()
        reordered = bits.unsigned()
        bits.unsigned()
    return PictureOrder(min(reordered, 16))
