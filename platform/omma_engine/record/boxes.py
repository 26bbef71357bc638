"""ISO base media boxes: walking them, and the few fields that an index needs.

Source: ISO/IEC 14496-12:2022, clauses 4.2, 8.8.4 to 8.8.12.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Box:
    """One box: `body` excludes the header; `offset` and `size` include it."""

    kind: bytes
    offset: int
    size: int
    body: memoryview


def boxes(data: bytes | memoryview) -> Iterator[Box]:
    """Yield the whole boxes at the top of the data, and stop at the first that is cut short or malformed."""
    view = memoryview(data)
    offset = 0
    while offset + 8 <= len(view):
        size, kind = _HEADER.unpack_from(view, offset)
        header = 8
        if size == 1 and offset + 16 <= len(view):
            (size,) = _U64.unpack_from(view, offset + 8)
            header = 16
        if size < header or offset + size > len(view):
            return
        yield Box(kind, offset, size, view[offset + header : offset + size])
        offset += size


def find(data: bytes | memoryview, *path: bytes) -> Iterator[Box]:
    """Yield the boxes at a path below the data, such as `moof`, `traf`, `trun`."""
    for box in boxes(data):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from find(box.body, *path[1:])


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a movie header."""

    track_id: int
    timescale: int
    is_video: bool
    default_duration: int
    default_flags: int


def tracks(moov_body: bytes | memoryview) -> list[Track]:
    """Return the tracks that a movie header describes."""
    defaults = {
        _U32.unpack_from(box.body, 4)[0]: (
            _U32.unpack_from(box.body, 12)[0],
            _U32.unpack_from(box.body, 20)[0],
        )
        for box in find(moov_body, b"mvex", b"trex")
    }
    return [_track(box.body, defaults) for box in find(moov_body, b"trak")]


def _track(trak: memoryview, defaults: dict[int, tuple[int, int]]) -> Track:
    header = next(find(trak, b"tkhd")).body
    track_id = _U32.unpack_from(header, 20 if header[0] == 1 else 12)[0]
    media = next(find(trak, b"mdia", b"mdhd")).body
    timescale = _U32.unpack_from(media, 20 if media[0] == 1 else 12)[0]
    handler = bytes(next(find(trak, b"mdia", b"hdlr")).body[8:12])
    duration, flags = defaults.get(track_id, (0, 0))
    return Track(track_id, timescale, handler == b"vide", duration, flags)


@dataclass(frozen=True, slots=True)
class TrackRun:
    """What a fragment holds of one track, in ticks of its timescale."""

    start_ticks: int
    duration_ticks: int
    sample_count: int
    is_keyframe: bool


_NON_SYNC = 0x0001_0000


def track_run(moof_body: bytes | memoryview, track: Track) -> TrackRun | None:
    """Return the run of a track in a movie fragment; None where the fragment holds nothing of it.

    The start is the presentation time of a keyframe that comes first. A run that begins with another picture
    starts at its decoding time, where the run before it ended: of B-pictures, the first in decoding order is
    shown after some that follow it, and the muxer lets decoding and presentation begin together.
    """
    for traf in find(moof_body, b"traf"):
        header = next(find(traf.body, b"tfhd")).body
        if _U32.unpack_from(header, 4)[0] == track.track_id:
            return _run(traf.body, header, track)
    return None


def _run(traf: memoryview, tfhd: memoryview, track: Track) -> TrackRun | None:
    duration, flags = _fragment_defaults(tfhd, track)
    decode_box = next(find(traf, b"tfdt")).body
    decode_time = (_U64 if decode_box[0] == 1 else _U32).unpack_from(decode_box, 4)[0]
    total = count = first_offset = 0
    first_flags: int | None = None
    for run in find(traf, b"trun"):
        samples = _samples(run.body, duration, flags)
        for sample_duration, sample_flags, offset in samples:
            if first_flags is None:
                first_flags, first_offset = sample_flags, offset
            total += sample_duration
            count += 1
    if first_flags is None:
        return None
    is_keyframe = not first_flags & _NON_SYNC
    return TrackRun(decode_time + (first_offset if is_keyframe else 0), total, count, is_keyframe)


def _fragment_defaults(tfhd: memoryview, track: Track) -> tuple[int, int]:
    """Return the default duration and flags of a track fragment's samples (8.8.7)."""
    present = _U32.unpack_from(tfhd, 0)[0] & 0xFFFFFF
    duration, flags = track.default_duration, track.default_flags
    position = 8
    for bit, size in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)):
        if present & bit:
            if bit == 0x8:
                duration = _U32.unpack_from(tfhd, position)[0]
            elif bit == 0x20:
                flags = _U32.unpack_from(tfhd, position)[0]
            position += size
    return duration, flags


def _samples(trun: memoryview, duration: int, flags: int) -> Iterator[tuple[int, int, int]]:
    """Yield duration, flags and composition offset of each sample of a run (8.8.8)."""
    word, count = struct.unpack_from(">II", trun, 0)
    version, present = word >> 24, word & 0xFFFFFF
    position = 8 + (4 if present & 0x1 else 0)
    first_flags = None
    if present & 0x4:
        first_flags = _U32.unpack_from(trun, position)[0]
        position += 4
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if present & bit]
    for index in range(count):
        values = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", trun, position), strict=True))
        position += 4 * len(fields)
        offset = values.get(0x800, 0)
        if version == 1 and offset & 0x8000_0000:
            offset -= 1 << 32
        own_flags = values.get(0x400, flags)
        yield (
            values.get(0x100, duration),
            first_flags if index == 0 and first_flags is not None else own_flags,
            offset,
        )
