"""Which video is read here, and what its description says of it."""

import base64
from dataclasses import dataclass

from omma_engine.errors import SourceUnsupportedError
from omma_engine.sources.interleaved.description import Medium
from omma_engine.sources.nal import has_sequence_set, picture_size
from omma_engine.sources.ordering import picture_order
from omma_engine.types import CodecInfo

_CODECS = {"H264": "h264", "H265": "hevc", "HEVC": "hevc"}
_SETS = {"h264": ("sprop-parameter-sets",), "hevc": ("sprop-vps", "sprop-sps", "sprop-pps")}
_CLOCK_HZ = 90_000


class UnplainError(SourceUnsupportedError):
    """The session holds what is not read here; FFmpeg may be able to."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A medium, the codec in it, and by how many pictures its decoding runs ahead of its showing."""

    medium: Medium
    codec: CodecInfo
    reordered: int


def video_format(medium: Medium | None) -> VideoFormat:
    """Return what is known of a video medium; raises `UnplainError` for one that is not read here."""
    if medium is None or medium.encoding not in _CODECS or medium.clock_hz != _CLOCK_HZ:
        raise UnplainError("there is no plain H.264 or H.265 in it")
    parameters = medium.parameters
    if parameters.get("packetization-mode") == "2" or parameters.get("sprop-max-don-diff", "0") != "0":
        raise UnplainError("its video is interleaved in itself")
    name = _CODECS[medium.encoding]
    sets = _stated_sets(name, medium)
    size = picture_size(name, sets)
    if size is None or not has_sequence_set(name, sets):
        sets, size = b"", (0, 0)
    order = picture_order(name, sets)
    rate = medium.frame_rate or order.frame_rate
    codec = CodecInfo(name, *size, (1, _CLOCK_HZ), sets, (rate.numerator, rate.denominator))
    return VideoFormat(medium, codec, order.reordered)


def _stated_sets(codec: str, medium: Medium) -> bytes:
    """Return the parameter sets of a description in Annex B."""
    stated = [each for name in _SETS[codec] for each in medium.parameters.get(name, "").split(",") if each]
    try:
        return b"".join(b"\x00\x00\x00\x01" + base64.b64decode(each) for each in stated)
    except ValueError:  # of other letters than base64 has, or too few of them
        return b""
