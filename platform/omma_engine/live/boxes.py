"""One picture as a movie fragment (ISO/IEC 14496-12, 8.8), and the init segment that goes before.

FFmpeg's muxer holds a picture back until the next one comes, to know its duration: a frame of delay, 200 ms
at five frames a second. So it writes the init segment only; the 100 bytes before each picture are written by
hand.
"""

import io
import struct
from collections.abc import Sequence

import av

from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.nal_units import with_start_codes

TIME_SCALE = 90_000
_TRACK = 1
_BASE_IS_MOOF = 0x020000
# data-offset, then per sample: duration, size, flags, composition offset
_TRUN_FLAGS = 0x000001 | 0x000100 | 0x000200 | 0x000400 | 0x000800
_IS_KEYFRAME = 0x02000000  # depends on no other
_IS_NO_KEYFRAME = 0x01010000  # depends on others, not a sync sample

_MFHD = struct.Struct(">I4sII")
_TFHD = struct.Struct(">I4sII")
_TFDT = struct.Struct(">I4sIQ")
_TRUN = struct.Struct(">I4sIIiIIIi")
_HEADER = struct.Struct(">I4s")
_MOOF_BYTES = 2 * _HEADER.size + _MFHD.size + _TFHD.size + _TFDT.size + _TRUN.size
_TRAF_BYTES = _MOOF_BYTES - _HEADER.size - _MFHD.size


def init_segment(codec: str, sets: Sequence[bytes], picture: Sequence[bytes]) -> bytes:
    """Return `ftyp` and `moov` for a track that begins with this keyframe; units without wrapping.

    Raises `SourceUnsupportedError` when FFmpeg cannot make sense of them.
    """
    annex_b = with_start_codes([*sets, *picture])
    target = io.BytesIO()
    flags = "empty_moov+default_base_moof+frag_custom"
    options = {"movflags": flags, "video_track_timescale": str(TIME_SCALE)}
    try:
        with (
            av.open(io.BytesIO(annex_b), format=codec) as source,
            av.open(target, "w", format="mp4", options=options) as output,
        ):
            output.add_stream_from_template(source.streams.video[0])
            output.start_encoding()
            return target.getvalue()
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise SourceUnsupportedError(f"{codec}: the first picture cannot be read ({error})") from error


def fragment(
    sample: bytes, *, sequence: int, decode_time: int, offset: int, duration: int, is_keyframe: bool
) -> bytes:
    """Return `moof` and `mdat` with one sample; times in `TIME_SCALE`, `offset` is pts less dts."""
    sample_flags = _IS_KEYFRAME if is_keyframe else _IS_NO_KEYFRAME
    return b"".join(
        (
            _HEADER.pack(_MOOF_BYTES, b"moof"),
            _MFHD.pack(_MFHD.size, b"mfhd", 0, sequence & 0xFFFFFFFF),
            _HEADER.pack(_TRAF_BYTES, b"traf"),
            _TFHD.pack(_TFHD.size, b"tfhd", _BASE_IS_MOOF, _TRACK),
            _TFDT.pack(_TFDT.size, b"tfdt", 1 << 24, decode_time),
            _TRUN.pack(
                _TRUN.size,
                b"trun",
                1 << 24 | _TRUN_FLAGS,
                1,
                _MOOF_BYTES + _HEADER.size,
                duration,
                len(sample),
                sample_flags,
                offset,
            ),
            _HEADER.pack(_HEADER.size + len(sample), b"mdat"),
            sample,
        )
    )
