"""Parameter sets of a stream: in front of every keyframe, and noticed when they change."""

from dataclasses import replace

from omma_engine.sources.base import SourcePacket
from omma_engine.sources.nal import has_sequence_set, head_of, is_annex_b_codec, picture_size
from omma_engine.types import CodecInfo


class ParameterSets:
    """Completes one stream's pictures. `codec` is that of the latest picture. One thread."""

    def __init__(self, codec: CodecInfo) -> None:
        self.codec = codec
        self._is_annex_b = is_annex_b_codec(codec.codec)

    def completed(self, packet: SourcePacket) -> SourcePacket:
        """Return a picture with its parameter sets in front, and with its codec where that has changed."""
        if not (self._is_annex_b and packet.is_keyframe):
            return packet
        name = self.codec.codec
        sets = head_of(name, packet.data).parameter_sets
        if not has_sequence_set(name, sets):
            return packet._replace(data=self.codec.extradata + packet.data, starts=())
        if sets == self.codec.extradata:
            return packet
        width, height = picture_size(name, sets) or (self.codec.width, self.codec.height)
        is_change = bool(self.codec.extradata)
        self.codec = replace(self.codec, extradata=sets, width=width, height=height)
        return packet._replace(codec=self.codec) if is_change else packet
