"""A segment that is being written: muxer, file and news as one."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from omma_engine.capture.messages import NewsKind, SegmentClose, SegmentOpen, SegmentProgress
from omma_engine.ids import segment_id
from omma_engine.record.gaps import NewsSay
from omma_engine.record.header import TICKS_PER_SECOND, AudioFormat
from omma_engine.record.label import SegmentLabel, label_box
from omma_engine.record.muxer import FragmentMuxer, MuxedFragment
from omma_engine.record.segment import Progress, SegmentFile, segment_path
from omma_engine.types import CodecInfo, EncodedPacket


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """What a segment is to be, decided before its first picture."""

    stream_id: str
    epoch: int
    sequence: int
    volume_root: Path
    volume_id: str
    codec: CodecInfo
    audio: AudioFormat | None
    is_transient: bool
    fragment_us: int


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A piece of AAC: `capture_us` of its first sample, and how many samples it holds."""

    data: bytes
    capture_us: int
    samples: int


class WritingSegment:
    """One segment from first picture to close. One thread; what touches the disk raises `StorageError`."""

    def __init__(self, plan: SegmentPlan, first: EncodedPacket, say: NewsSay) -> None:
        self._plan = plan
        self._say = say
        self._pending: list[MuxedFragment] = []
        self.start_us = first.capture_us
        self.end_us = first.capture_us
        self._label = _label(plan, first)
        self._first = self._latest = first
        self._may_be_led = True
        self._error_us = first.error_us
        self._is_damaged = False
        self._damaged_pictures = 0
        self.camera_offset_us = 0
        self._is_said = False
        self._init_size = 0
        self._durable_end_us = first.capture_us
        self._limit_us: int | None = None
        path = segment_path(
            stream_id=plan.stream_id, start_us=first.capture_us, epoch=plan.epoch, sequence=plan.sequence
        )
        self._relative_path = path.as_posix()
        self._file = SegmentFile(plan.volume_root / path)
        self._muxer = FragmentMuxer(
            plan.codec, plan.audio, fragment_us=plan.fragment_us, on_fragment=self._pending.append
        )

    @property
    def codec(self) -> CodecInfo:
        """Return how its pictures are coded."""
        return self._plan.codec

    def is_led_by(self, packet: EncodedPacket) -> bool:
        """Return whether a picture follows the first one and is shown before it, and so has no reference.

        Such pictures come before any that is shown after the first one; later, a time that lies before the
        first one's only says that the camera's clock has stepped back.
        """
        return self._may_be_led and packet.pts < self._first.pts and packet.dts > self._first.dts

    def add_video(self, packet: EncodedPacket) -> None:
        """Add a picture and write the fragment that it completes."""
        numerator, denominator = self._plan.codec.time_base
        reorder_us = (packet.pts - packet.dts) * 1_000_000 * numerator // denominator
        duration_us = packet.duration * 1_000_000 * numerator // denominator
        is_headless = packet is self._first and not packet.is_keyframe
        self._latest = packet
        self._may_be_led = self._may_be_led and packet.pts <= self._first.pts
        self._error_us = max(self._error_us, packet.error_us)
        self.end_us = max(self.end_us, packet.capture_us + duration_us)
        is_taken = self._muxer.add_video(
            self._plan.codec.extradata + packet.data if is_headless else packet.data,
            pts=_ticks(packet.capture_us - self.start_us),
            dts=_ticks(packet.capture_us - reorder_us - self.start_us),
            duration=_ticks(duration_us),
            is_keyframe=packet.is_keyframe,
            starts=() if is_headless else packet.starts,
        )
        self._is_damaged = self._is_damaged or not is_taken
        self._damaged_pictures += packet.is_corrupt
        self._write_pending()

    def add_audio(self, piece: AudioPiece) -> None:
        """Add sound; what was before the segment's start is left out."""
        if self._plan.audio is None or piece.capture_us < self.start_us:
            return
        pts = (piece.capture_us - self.start_us) * self._plan.audio.sample_rate // 1_000_000
        self._muxer.add_audio(piece.data, pts=pts, duration=piece.samples)
        self._write_pending()

    def sync_if_due(self, monotonic_us: int) -> bool:
        """Make what was written durable and say so, as often as the file's rule wants it; tell whether."""
        if not self._file.is_sync_due(monotonic_us):
            return False
        self._say_progress(self._file.sync(monotonic_us))
        return True

    def close(self, monotonic_us: int, *, next_us: int | None = None) -> None:
        """Finish the file. `next_us` is the first picture of the segment that follows without a break."""
        self._muxer.close()
        self._write_pending()
        if next_us is not None:
            self.end_us = self._limit_us = max(next_us, self.start_us)
        self._say_progress(self._file.sync(monotonic_us))
        self._say_close(self._file.close(), is_damaged=self._is_damaged)

    def give_up(self, monotonic_us: int) -> int:
        """End the file where the disk failed it, and return up to when it is durable."""
        progress = self._file.salvage(monotonic_us)
        if progress:
            self._say_progress(progress)
        digest = self._file.abandon()
        if not self._is_said:
            return self.start_us
        self.end_us = self._durable_end_us
        self._say_close(digest, is_damaged=True)
        return self.end_us

    def _write_pending(self) -> None:
        while self._pending:
            if not self._init_size:
                header = self._muxer.header + label_box(self._label)
                self._file.write_header(header)
                self._init_size = len(header)
            self._file.write_fragment(self._pending.pop(0))

    def _say_progress(self, progress: Progress) -> None:
        if not progress.fragments:
            return
        if not self._is_said:
            self._is_said = True
            self._say(self._opened())
        last = progress.fragments[-1]
        end_us = self.start_us + last.start_us + last.duration_us
        self._durable_end_us = end_us if self._limit_us is None else min(end_us, self._limit_us)
        self._say(
            SegmentProgress(
                kind=NewsKind.SEGMENT_PROGRESS,
                segment_id=self._label.segment_id,
                durable_bytes=progress.durable_bytes,
                end_us=self._durable_end_us,
                error_us=self._error_us,
                clock=self._latest.clock,
                fragments=[
                    [each.start_us, each.duration_us, each.offset, each.size, int(each.is_keyframe)]
                    for each in progress.fragments
                ],
            )
        )

    def _opened(self) -> SegmentOpen:
        label = self._label
        return SegmentOpen(
            kind=NewsKind.SEGMENT_OPEN,
            segment_id=label.segment_id,
            stream_id=label.stream_id,
            epoch=label.epoch,
            sequence=label.sequence,
            start_us=label.start_us,
            start_ticks=label.start_ticks,
            time_base=list(label.time_base),
            rate_ppm=0.0,
            clock=label.clock,
            error_us=label.error_us,
            volume_id=self._plan.volume_id,
            path=self._relative_path,
            codec=label.codec,
            width=label.width,
            height=label.height,
            has_audio=label.has_audio,
            init_size=self._init_size,
            is_transient=label.is_transient,
        )

    def _say_close(self, sha256: str, *, is_damaged: bool) -> None:
        self._say(
            SegmentClose(
                kind=NewsKind.SEGMENT_CLOSE,
                segment_id=self._label.segment_id,
                durable_bytes=self._file.durable_bytes,
                end_us=self.end_us,
                sha256=sha256,
                state="closed",
                is_damaged=is_damaged,
                damaged_pictures=self._damaged_pictures,
                camera_offset_us=self.camera_offset_us,
            )
        )


def _ticks(duration_us: int) -> int:
    return duration_us * TICKS_PER_SECOND // 1_000_000


def _label(plan: SegmentPlan, first: EncodedPacket) -> SegmentLabel:
    return SegmentLabel(
        segment_id=str(
            segment_id(
                stream_id=UUID(plan.stream_id),
                epoch=plan.epoch,
                sequence=plan.sequence,
                start_us=first.capture_us,
            )
        ),
        stream_id=plan.stream_id,
        epoch=plan.epoch,
        sequence=plan.sequence,
        start_us=first.capture_us,
        start_ticks=first.pts,
        time_base=plan.codec.time_base,
        clock=first.clock.value,
        error_us=first.error_us,
        codec=plan.codec.codec,
        width=plan.codec.width,
        height=plan.codec.height,
        has_audio=plan.audio is not None,
        is_transient=plan.is_transient,
    )
