"""Movie headers of our own for H.264 and H.265 with or without AAC-LC, as fragments want them: no samples.

FFmpeg's muxer makes the same, but a forked child that calls it makes a megabyte of shared memory its own.
Sources: ISO/IEC 14496-12:2022, 4.3, 8.2 to 8.8 and 12; ISO/IEC 14496-15:2022, 5.3.3 and 8.3.3; ISO/IEC
14496-14:2020, 6.7; ISO/IEC 14496-1:2010, 7.2.6; ISO/IEC 14496-3:2019, 1.6.2.1.
"""

import struct
from collections.abc import Iterable

from omma_engine.record.aac import LOW_COMPLEXITY, rate_index
from omma_engine.sources.bits import BitReader
from omma_engine.sources.nal import (
    H264_HIGH_PROFILES,
    head_of,
    is_annex_b_codec,
    nal_type,
    nal_units,
    skip_profile_tier_level,
)

_START = b"\x00\x00\x01"
_TICKS_A_SECOND = 1000  # of the movie; tracks have their own
_ENABLED_IN_MOVIE = 3
_MATRIX = struct.pack(">9I", 0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000)
_UNDETERMINED = 0x55C4  # the language
_DOTS_AN_INCH = 72 << 16
_NO_SAMPLES = b"".join(
    struct.pack(">I4s", 8 + len(body), kind) + body
    for kind, body in ((b"stts", bytes(8)), (b"stsc", bytes(8)), (b"stsz", bytes(12)), (b"stco", bytes(8)))
)
_AAC_OBJECT, _AUDIO_STREAM = 0x40, 5 << 2 | 1


def plain_header(
    codec: str, size: tuple[int, int], timescale: int, entry: bytes, audio: tuple[int, int] | None
) -> bytes | None:
    """Return `ftyp` and `moov`; None for what is not plain, such as several sequence parameter sets.

    `entry` is parameter sets in Annex B, or a picture with them; `audio` is sample rate and channels. The
    pictures are track 1, the sound is track 2.
    """
    if not is_annex_b_codec(codec) or not entry.removeprefix(b"\x00").startswith(_START):
        return None
    try:
        described = _avc1(size, entry) if codec == "h264" else _hvc1(size, entry)
        sound = _mp4a(*audio) if audio else b""
    except (IndexError, ValueError):  # cut short, or nothing of this kind in it
        return None
    traks = [_trak(1, timescale, b"vide", b"VideoHandler", _full(b"vmhd", 1, bytes(8)), described, size)]
    if audio:
        traks.append(_trak(2, audio[0], b"soun", b"SoundHandler", _full(b"smhd", 0, bytes(4)), sound, (0, 0)))
    numbers = range(1, len(traks) + 1)
    extends = (_full(b"trex", 0, struct.pack(">5I", number, 1, 0, 0, 0)) for number in numbers)
    moov = (_mvhd(len(traks) + 1), *traks, _box(b"mvex", *extends))
    return _box(b"ftyp", b"iso6", struct.pack(">I", 512), b"iso6mp41") + _box(b"moov", *moov)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _mvhd(next_track: int) -> bytes:
    times = struct.pack(">4I", 0, 0, _TICKS_A_SECOND, 0)
    rate_and_volume = struct.pack(">IH10x", 0x1_0000, 0x100)
    return _full(b"mvhd", 0, times, rate_and_volume, _MATRIX, bytes(24), struct.pack(">I", next_track))


def _trak(
    number: int,
    timescale: int,
    kind: bytes,
    name: bytes,
    media: bytes,
    described: bytes,
    size: tuple[int, int],
) -> bytes:
    is_sound = kind == b"soun"
    group_and_volume = struct.pack(">8xhhh2x", 0, int(is_sound), 0x100 if is_sound else 0)
    shown = struct.pack(">II", size[0] << 16, size[1] << 16)
    times = struct.pack(">5I", 0, 0, number, 0, 0)
    here = _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1))
    table = _box(b"stbl", _full(b"stsd", 0, struct.pack(">I", 1), described), _NO_SAMPLES)
    return _box(
        b"trak",
        _full(b"tkhd", _ENABLED_IN_MOVIE, times, group_and_volume, _MATRIX, shown),
        _box(
            b"mdia",
            _full(b"mdhd", 0, struct.pack(">4IHH", 0, 0, timescale, 0, _UNDETERMINED, 0)),
            _full(b"hdlr", 0, bytes(4), kind, bytes(12), name, b"\x00"),
            _box(b"minf", media, _box(b"dinf", here), table),
        ),
    )


def _pictures(kind: bytes, size: tuple[int, int], configuration: bytes) -> bytes:
    fields = struct.pack(">6xH16xHHII4xH32xHH", 1, *size, _DOTS_AN_INCH, _DOTS_AN_INCH, 1, 0x18, 0xFFFF)
    return _box(kind, fields, configuration)


def _units(codec: str, entry: bytes, kinds: Iterable[int]) -> dict[int, list[bytes]]:
    """Return the parameter sets by kind; ValueError unless each kind is there, and one sequence set."""
    units = list(nal_units(head_of(codec, entry).parameter_sets))
    found = {kind: [unit for unit in units if nal_type(codec, unit) == kind] for kind in kinds}
    *others, _ = found.values()
    if not all(found.values()) or any(len(each) > 1 for each in others):
        raise ValueError("not one set of each kind")
    return found


def _counted(units: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def _avc1(size: tuple[int, int], entry: bytes) -> bytes:
    sequences, pictures = _units("h264", entry, (7, 8)).values()
    (sequence,) = sequences
    parts = [b"\x01", sequence[1:4], b"\xff\xe1", _counted(sequences), bytes([len(pictures)])]
    parts.append(_counted(pictures))
    bits = BitReader(sequence[1:])
    profile = bits.take(8)
    if profile in H264_HIGH_PROFILES:
        bits.take(16)
        bits.unsigned()
        parts.append(bytes([*_formats(bits), 0]))
    elif profile not in {66, 77, 88}:
        raise ValueError("an unknown profile")
    return _pictures(b"avc1", size, _box(b"avcC", *parts))


def _formats(bits: BitReader, *, has_size: bool = False) -> tuple[int, int, int]:
    """Read the chroma format and both bit depths, as configurations hold them."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    if has_size:
        bits.unsigned(), bits.unsigned()
        if bits.take(1):
            bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()
    luma_depth, chroma_depth = bits.unsigned(), bits.unsigned()
    if chroma > 3 or luma_depth > 7 or chroma_depth > 7:
        raise ValueError("no such format")
    return 0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth


def _hvc1(size: tuple[int, int], entry: bytes) -> bytes:
    found = _units("hevc", entry, (32, 33, 34))
    ((sequence,), (whole,)) = found[33], found[32]
    bits = BitReader(sequence[2:])
    bits.take(4)
    sub_layers, is_nested = bits.take(3), bits.take(1)
    level_of = BitReader(sequence[2:])
    level_of.take(8)
    general = bytes(level_of.take(8) for _ in range(12))
    skip_profile_tier_level(bits, sub_layers)
    bits.unsigned()
    formats = _formats(bits, has_size=True)
    layers = max(sub_layers, BitReader(whole[3:]).take(7) >> 1 & 7) + 1
    configuration = struct.pack(
        ">B12sHB3BHBB", 1, general, 0xF000, 0xFC, *formats, 0, layers << 3 | is_nested << 2 | 3, len(found)
    )
    arrays = (struct.pack(">BH", kind, len(units)) + _counted(units) for kind, units in found.items())
    return _pictures(b"hvc1", size, _box(b"hvcC", configuration, *arrays))


def _mp4a(sample_rate: int, channels: int) -> bytes:
    config = struct.pack(">H", LOW_COMPLEXITY << 11 | rate_index(sample_rate) << 7 | channels << 3)
    decoder = struct.pack(">BBxHII", _AAC_OBJECT, _AUDIO_STREAM, 0, 0, 0) + _descriptor(5, config)
    stream = struct.pack(">Hx", 2) + _descriptor(4, decoder) + _descriptor(6, b"\x02")
    fields = struct.pack(">6xH8xHH4xI", 1, channels, 16, sample_rate << 16)
    return _box(b"mp4a", fields, _full(b"esds", 0, _descriptor(3, stream)))


def _descriptor(tag: int, body: bytes) -> bytes:
    return struct.pack(">B3sB", tag, b"\x80\x80\x80", len(body)) + body
