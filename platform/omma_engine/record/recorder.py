"""Recording one stream: when a segment begins, when it is cut, and what is a gap.

The rules:

- a segment begins with a keyframe, or without one after ten seconds in which none came;
- it is cut at the first keyframe after its length (60 s, transient ones before 20 s), at a keyframe after the
  timestamps jumped, and at once where the coding changes;
- where pictures follow that are shown before the keyframe, they end the old segment (`crossing`);
- with no keyframe in sight it is cut by time at twice its length, so that files and memory stay bounded;
- a stretch without pictures is a gap as soon as it is known; in the middle of a group it lasts until the next
  keyframe, because what follows refers to what is missing;
- where a disk fails, the next keyframe begins a segment on the next volume that takes it; the one that failed
  is tried again after a minute, and each second where there is no other.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.capture.messages import NewsKind, volume_news
from omma_engine.clock import Clock
from omma_engine.errors import DiskFailedError, StorageError
from omma_engine.record.crossing import Crossing, crossing_at
from omma_engine.record.gaps import GapBook, NewsSay
from omma_engine.record.header import AudioFormat
from omma_engine.record.holes import Hole, HoleWatch
from omma_engine.record.volume import Volume, VolumeChoice
from omma_engine.record.writing import AudioPiece, SegmentPlan, WritingSegment
from omma_engine.types import CodecInfo, EncodedPacket, GapCause, RecordMode, StreamSpec, VolumeSpec

logger = logging.getLogger(__name__)

_TRANSIENT_US = 18_000_000
_KEYFRAME_PATIENCE_US = 10_000_000
_TOLD_AFTER_US = 2_000_000
_RETRY_US = 1_000_000
_EARLY_US = 100_000
"""A keyframe that comes so much too early still cuts: the next may be seconds away."""
_FRAGMENT_MARGIN_US = 500_000
"""A fragment ends so much before its limit: what the packet loop holds for a moment is lost with it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How the pictures and the sound that follow are coded."""

    codec: CodecInfo
    audio: AudioFormat | None


class StreamRecorder:
    """Writes one stream's segments and says its news. One thread; never raises for the disk."""

    def __init__(
        self,
        spec: StreamSpec,
        *,
        epoch: int,
        say: NewsSay,
        clock: Clock,
        on_volume: Callable[[Path], None] | None = None,
    ) -> None:
        """`on_volume` is called with the root of the volume before the first segment on it begins."""
        self._spec = spec
        self._stream_id: UUID = spec.stream_id
        self._epoch = epoch
        self._say = say
        self._clock = clock
        self._mode = spec.mode
        self._volumes = VolumeChoice(spec.volumes, clock)
        self._volume: Volume | None = None  # that of the segment that is written, or was last
        self._on_volume = on_volume
        self._gaps = GapBook(str(spec.stream_id), say)
        self._coding: Coding | None = None
        self._segment: WritingSegment | None = None
        self._sequence = 0
        self._holes = HoleWatch()
        self._end_us = clock.now_us()
        self._waiting_since_us: int | None = None
        self._may_begin_anywhere = False
        self._retry_at_us = 0
        self._wants_cut = False
        self._crossing: Crossing | None = None
        self.camera_offset_us = 0
        """How far the camera's clock is from ours; goes with each segment."""
        if self._mode is RecordMode.OFF:
            self._gaps.open(GapCause.POLICY, start_us=self._end_us)

    def set_coding(self, coding: Coding) -> None:
        """State how what follows is coded; a change ends the segment."""
        if coding != self._coding:
            self._finish()
            self._coding = coding

    def cut(self, *, is_counted_anew: bool = False) -> None:
        """Ask for a new segment at the next keyframe.

        `is_counted_anew`: the next picture follows the last one, however much time is between their times.
        """
        self._wants_cut = True
        if is_counted_anew:
            self._holes.count_anew()

    def leap(self, cause: GapCause, detail: str) -> None:
        """Say that time was left out before the next picture, and why."""
        self._wants_cut = True
        self._holes.tell(Hole(cause, detail))

    def set_mode(self, mode: RecordMode) -> None:
        """Change what is kept, at the next keyframe; off stops at once."""
        if mode is self._mode:
            return
        self._mode = mode
        if mode is RecordMode.OFF:
            self._finish()
            start_us = self._clock.now_us() if self._gaps.is_open else self._end_us
            self._gaps.close(start_us)
            self._gaps.open(GapCause.POLICY, start_us=start_us)
        else:  # a gap of policy is closed by the first picture that is kept
            self.cut()

    def set_volumes(self, volumes: Sequence[VolumeSpec]) -> None:
        """Take another order of volumes; where another one is wanted, footage moves at the next keyframe."""
        self._volumes.set(volumes)
        if self._volume is not None and self._volumes.wanted != self._volume.root:
            self.cut()

    def add_video(self, packet: EncodedPacket) -> None:
        """Take one picture."""
        if self._mode is RecordMode.OFF or self._coding is None:
            return
        crossing = self._crossing
        if crossing is not None and crossing.is_before(packet):
            self._write(packet)
            return
        if crossing is not None:
            self._finish(next_us=crossing.keyframe.capture_us)
            self._take(crossing.keyframe)
        self._take(packet)

    def _take(self, packet: EncodedPacket) -> None:
        self._cut_where_due(packet)
        if self._segment is None and self._may_begin(packet):
            self._begin(packet)
        self._write(packet if self._crossing is None else self._crossing.as_reference)
        self._holes.remember(packet)

    def _write(self, packet: EncodedPacket) -> None:
        segment = self._segment
        if segment is not None and not segment.is_led_by(packet):
            self._guarded(segment, lambda segment: segment.add_video(packet))

    def add_audio(self, piece: AudioPiece) -> None:
        """Take a piece of sound; it is kept where a segment is open."""
        if self._segment is not None:
            self._guarded(self._segment, lambda segment: segment.add_audio(piece))

    def tick(self) -> None:
        """Make durable what is due; called a few times a second."""
        if self._segment is not None:
            now_us = self._clock.monotonic_us()
            self._guarded(self._segment, lambda segment: self._sync(segment, now_us))

    def interrupt(self, cause: GapCause, detail: str) -> None:
        """Say that pictures stopped coming: the segment is finished and a gap begins where it ended."""
        self._finish()
        if self._mode is not RecordMode.OFF:
            self._gaps.open(cause, start_us=self._end_us, detail=detail)

    def finish(self) -> None:
        """Close the segment at its last picture, and an open gap now; nothing is taken afterwards."""
        self._finish()
        self._gaps.close(self._clock.now_us())

    def _cut_where_due(self, packet: EncodedPacket) -> None:
        segment = self._segment
        if segment is None:
            return
        hole = self._holes.find(packet)
        if hole is not None:
            self._finish()
            self._gaps.open(hole.cause, start_us=self._end_us, detail=hole.detail)
            return
        age_us = packet.capture_us - segment.start_us
        limit_us = self._length_us()
        is_due = age_us >= limit_us or self._wants_cut
        is_overdue = age_us >= 2 * limit_us
        if not (packet.is_keyframe and is_due) and not is_overdue:
            return
        if not (self._wants_cut or is_overdue):
            self._crossing = crossing_at(segment.codec, packet)
        if self._crossing is None:
            self._finish(next_us=packet.capture_us)
            self._may_begin_anywhere = is_overdue

    def _length_us(self) -> int:
        length_us = self._spec.segment_s * 1_000_000 - _EARLY_US
        return min(length_us, _TRANSIENT_US) if self._mode is RecordMode.EVENTS else length_us

    def _may_begin(self, packet: EncodedPacket) -> bool:
        if self._clock.monotonic_us() < self._retry_at_us:
            return False
        if packet.is_keyframe or self._may_begin_anywhere:
            return True
        if self._waiting_since_us is None:
            self._waiting_since_us = self._clock.monotonic_us()
        waited_us = self._clock.monotonic_us() - self._waiting_since_us
        if waited_us >= _TOLD_AFTER_US:
            self._gaps.open(GapCause.CAMERA, start_us=self._end_us, detail="no keyframe has come yet")
        return waited_us >= _KEYFRAME_PATIENCE_US

    def _sync(self, segment: WritingSegment, now_us: int) -> None:
        if segment.sync_if_due(now_us) and self._volume is not None:
            self._volume.require_same_device()

    def _begin(self, packet: EncodedPacket) -> None:
        words = ""
        for volume in self._volumes.to_try():
            try:
                self._segment = self._begun(volume, packet)
            except StorageError as error:
                self._note_failure(volume, error)
                words = words or str(error)
                continue
            self._waiting_since_us = None
            self._may_begin_anywhere = False
            self._wants_cut = False
            return
        self._disk_failed(words, self._end_us, rest_us=_RETRY_US)

    def _begun(self, volume: Volume, packet: EncodedPacket) -> WritingSegment:
        assert self._coding is not None  # noqa: S101 (add_video looked)
        volume_id = volume.check()
        if self._on_volume is not None and (self._volume is None or self._volume.root != volume.root):
            self._on_volume(volume.root)
        self._volume = volume
        self._sequence += 1
        plan = SegmentPlan(
            stream_id=str(self._stream_id),
            epoch=self._epoch,
            sequence=self._sequence,
            volume_root=volume.root,
            volume_id=volume_id,
            codec=self._coding.codec,
            audio=self._coding.audio,
            is_transient=self._mode is RecordMode.EVENTS,
            fragment_us=max(100_000, round(self._spec.fragment_s * 1_000_000) - _FRAGMENT_MARGIN_US),
        )
        return WritingSegment(plan, packet, self._say_segment)

    def _say_segment(self, news: Any) -> None:
        """Say a segment's news; a gap ends with the first picture that is durable, not with the attempt."""
        if news["kind"] == NewsKind.SEGMENT_OPEN:
            self._gaps.close(news["start_us"])
        self._say(news)

    def _finish(self, *, next_us: int | None = None) -> None:
        segment, self._crossing = self._segment, None
        if segment is None:
            return

        def close(open_segment: WritingSegment) -> None:
            open_segment.camera_offset_us = self.camera_offset_us
            open_segment.close(self._clock.monotonic_us(), next_us=next_us)
            self._segment = None
            self._end_us = open_segment.end_us

        self._guarded(segment, close)

    def _guarded(self, segment: WritingSegment, action: Callable[[WritingSegment], None]) -> None:
        """Do something with the segment; where the disk fails, end it there and begin a gap."""
        try:
            action(segment)
        except StorageError as error:
            self._give_up(segment, error)

    def _give_up(self, segment: WritingSegment, error: StorageError) -> None:
        self._segment = None
        if self._volume is not None:
            self._note_failure(self._volume, error)
        end_us = segment.give_up(self._clock.monotonic_us())
        self._disk_failed(str(error), end_us, rest_us=0 if self._volumes.has_others else _RETRY_US)

    def _note_failure(self, volume: Volume, error: StorageError) -> None:
        """Let the volume rest; where the disk itself failed, say so, for others write there too."""
        is_new = self._volumes.failed(volume.root)
        if is_new and isinstance(error, DiskFailedError):
            now_us = self._clock.now_us()
            self._say(volume_news(volume.volume_id, at_us=now_us, detail=str(error)))

    def _disk_failed(self, words: str, end_us: int, *, rest_us: int) -> None:
        self._end_us = end_us
        self._retry_at_us = self._clock.monotonic_us() + rest_us
        if not self._gaps.is_open:
            logger.error("stream %s is not recorded: %s", self._stream_id, words)
        self._gaps.open(GapCause.DISK, start_us=end_us, detail=words)
