"""The `codecs` parameter that a browser is asked about (RFC 6381; ISO/IEC 14496-15 annex E for H.265)."""

from collections.abc import Sequence

from omma_engine.live.nal_units import unit_kind, without_emulation_prevention

_H264_SPS = 7
_HEVC_SPS = 33


def codec_string(codec: str, sets: Sequence[bytes]) -> str:
    """Return `avc1.…` or `hev1.…` for these parameter sets; raise `ValueError` when there is none to read."""
    wanted = _H264_SPS if codec == "h264" else _HEVC_SPS
    for unit in sets:
        if unit_kind(codec, unit) == wanted and len(unit) >= 4:
            return f"avc1.{unit[1:4].hex()}" if codec == "h264" else _hevc(without_emulation_prevention(unit))
    raise ValueError(f"{codec}: no sequence parameter set among {len(sets)} units")


def _hevc(sps: bytes) -> str:
    """Return the string for an SPS: header (2 bytes), ids (1), then profile_tier_level (H.265 7.3.3)."""
    if len(sps) < 15:
        raise ValueError(f"hevc: a sequence parameter set of {len(sps)} bytes is cut short")
    space, tier, profile = sps[3] >> 6, sps[3] >> 5 & 1, sps[3] & 0x1F
    compatibility = int.from_bytes(sps[4:8], "big")
    reversed_flags = int(f"{compatibility:032b}"[::-1], 2)
    constraints = sps[8:14].rstrip(b"\x00")
    parts = [
        "hev1",
        f"{'ABC'[space - 1] if space else ''}{profile}",
        f"{reversed_flags:X}",
        f"{'H' if tier else 'L'}{sps[14]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)
