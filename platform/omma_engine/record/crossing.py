"""Cutting at a keyframe that reaches behind itself.

In an open group of pictures, some that are decoded after the keyframe are shown before it, and need the group
before as well as the keyframe. They belong to the segment that ends; so that they can be decoded there, the
keyframe is written into both segments.
"""

from dataclasses import replace

from omma_engine.sources.nal import head_of, is_annex_b_codec
from omma_engine.types import CodecInfo, EncodedPacket

_MOST_LEADING = 16  # no codec reorders more


class Crossing:
    """The keyframe at which a segment is to end, while what is shown before it still comes. One thread."""

    def __init__(self, keyframe: EncodedPacket) -> None:
        self.keyframe = keyframe
        self._count = 0

    @property
    def as_reference(self) -> EncodedPacket:
        """Return the keyframe as it is written into the segment that ends: nothing is to begin there."""
        return replace(self.keyframe, is_keyframe=False)

    def is_before(self, packet: EncodedPacket) -> bool:
        """Return whether a packet is shown before the keyframe, and so belongs to the segment that ends."""
        self._count += 1
        return packet.pts < self.keyframe.pts and self._count <= _MOST_LEADING


def crossing_at(codec: CodecInfo, packet: EncodedPacket) -> Crossing | None:
    """Return the crossing that begins with a keyframe, or None where nothing can reach behind it."""
    if not packet.is_keyframe or not is_annex_b_codec(codec.codec):
        return None
    return None if head_of(codec.codec, packet.data).is_closed_entry else Crossing(packet)
