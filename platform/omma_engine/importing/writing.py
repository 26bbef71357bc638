"""Pictures with their times, written as segments of about a minute."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.record.crossing import Crossing, crossing_at
from omma_engine.record.header import AudioFormat
from omma_engine.record.writing import AudioPiece, SegmentPlan, WritingSegment
from omma_engine.types import CodecInfo, EncodedPacket

SEGMENT_US = 60_000_000
EPOCH = 1  # nobody else ever writes to the stream of an imported file
_FRAGMENT_US = 1_000_000
_EARLY_US = 100_000


class VideoWriter:
    """Writes one stream's segments below `root` and gathers their news. What the disk refuses is raised."""

    def __init__(
        self, *, stream_id: UUID, root: Path, volume_id: str, codec: CodecInfo, audio: AudioFormat | None
    ) -> None:
        self.news: list[dict[str, Any]] = []
        self._stream_id = stream_id
        self._root = root
        self._volume_id = volume_id
        self._codec = codec
        self._audio = audio
        self._segment: WritingSegment | None = None
        self._crossing: Crossing | None = None
        self._sequence = 0

    def add(self, packet: EncodedPacket) -> None:
        """Take one picture; what comes before the first keyframe is left out. Raises `StorageError`."""
        crossing = self._crossing
        if crossing is not None and self._segment is not None:
            if crossing.is_before(packet):
                self._segment.add_video(packet)
                return
            self._begin(crossing.keyframe)
        segment = self._segment
        if segment is None:
            if packet.is_keyframe:
                self._begin(packet)
        elif packet.is_keyframe and packet.capture_us - segment.start_us >= SEGMENT_US - _EARLY_US:
            self._cross(segment, packet)
        elif not segment.is_led_by(packet):
            segment.add_video(packet)
            segment.sync_if_due(time.monotonic_ns() // 1000)

    def change_codec(self, codec: CodecInfo) -> None:
        """Take another coding from the next keyframe on. Raises `StorageError`."""
        if codec != self._codec:
            self._close(None)
            self._codec = codec

    def add_sound(self, piece: AudioPiece) -> None:
        """Take a piece of sound. Raises `StorageError`."""
        if self._segment is not None:
            self._segment.add_audio(piece)

    def finish(self) -> None:
        """Close the last segment. Raises `StorageError`."""
        self._close(None)

    def _cross(self, segment: WritingSegment, keyframe: EncodedPacket) -> None:
        self._crossing = crossing_at(self._codec, keyframe)
        if self._crossing is None:
            self._begin(keyframe)
        else:
            segment.add_video(self._crossing.as_reference)

    def _begin(self, first: EncodedPacket) -> None:
        self._close(first.capture_us)
        self._sequence += 1
        plan = SegmentPlan(
            stream_id=str(self._stream_id),
            epoch=EPOCH,
            sequence=self._sequence,
            volume_root=self._root,
            volume_id=self._volume_id,
            codec=self._codec,
            audio=self._audio,
            is_transient=False,
            fragment_us=_FRAGMENT_US,
        )
        self._segment = WritingSegment(plan, first, lambda news: self.news.append(dict(news)))
        self._segment.add_video(first)

    def _close(self, next_us: int | None) -> None:
        segment, self._segment, self._crossing = self._segment, None, None
        if segment is not None:
            segment.close(time.monotonic_ns() // 1000, next_us=next_us)
