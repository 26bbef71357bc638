"""NAL units of H.264 and H.265: finding them in Annex B, telling their kinds, writing ledger messages."""

import re
from dataclasses import dataclass
from typing import Literal

VideoCodec = Literal["h264", "hevc"]

_START = re.compile(rb"\x00\x00\x00?\x01")
_H264_SEI, _H264_SPS, _H264_PPS, _H264_AUD, _H264_IDR = 6, 7, 8, 9, 5
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS, _HEVC_AUD, _HEVC_SEI = 32, 33, 34, 35, 39
_HEVC_IRAP = range(16, 24)


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture, without start codes: what describes it, what it is made of, and when it is shown.

    `order` is the picture's number in display order; units themselves stand in decoding order.
    """

    parameter_sets: tuple[bytes, ...]
    slices: tuple[bytes, ...]
    is_keyframe: bool
    order: int


def split_annex_b(data: bytes) -> list[bytes]:
    """Return the NAL units between the start codes."""
    starts = [(match.start(), match.end()) for match in _START.finditer(data)]
    ends = [start for start, _ in starts[1:]] + [len(data)]
    return [data[begin:end] for (_, begin), end in zip(starts, ends, strict=True)]


def join_annex_b(nals: tuple[bytes, ...]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def kind_of(nal: bytes, codec: VideoCodec) -> int:
    return nal[0] & 0x1F if codec == "h264" else (nal[0] >> 1) & 0x3F


def unit_of(data: bytes, codec: VideoCodec, order: int) -> AccessUnit:
    """Return the access unit in `data` (Annex B), without the encoder's own SEI and delimiters."""
    if codec == "h264":
        parameters, noise = {_H264_SPS, _H264_PPS}, {_H264_SEI, _H264_AUD}
    else:
        parameters, noise = {_HEVC_VPS, _HEVC_SPS, _HEVC_PPS}, {_HEVC_SEI, _HEVC_SEI + 1, _HEVC_AUD}
    kinds = [(kind_of(nal, codec), nal) for nal in split_annex_b(data)]
    sets = tuple(nal for kind, nal in kinds if kind in parameters)
    slices = tuple(nal for kind, nal in kinds if kind not in parameters and kind not in noise)
    keyframe = any(kind == _H264_IDR if codec == "h264" else kind in _HEVC_IRAP for kind, _ in kinds)
    return AccessUnit(sets, slices, keyframe, order)


def user_data_nal(codec: VideoCodec, identity: bytes, text: bytes) -> bytes:
    """Return an SEI NAL with unregistered user data (H.264 D.1.7, H.265 D.2.7; payload type 5).

    `text` is ASCII and `identity` has no zero bytes, so no emulation prevention is needed.
    """
    payload = identity + text
    header = b"\x06" if codec == "h264" else b"\x4e\x01"
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    return header + b"\x05" + size + payload + b"\x80"
