"""Importing one file, in a child that has no environment of ours: looked through, then written.

`source` is the file; below `root` come the segments, in the folders that a volume has. What the child gives
is a file of JSON: the facts, and the news of the segments as a capture child says them.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import av

from omma_engine.capture.encode import TICKS_PER_SECOND
from omma_engine.capture.sound import SoundTrack
from omma_engine.detect.sandbox import Limits, give_up
from omma_engine.errors import SourceError, VideoFileError
from omma_engine.importing.opening import open_video
from omma_engine.importing.scan import VideoFacts, scan
from omma_engine.importing.timing import FileTime
from omma_engine.importing.upright import UprightEncoder, duration_ticks
from omma_engine.importing.writing import VideoWriter
from omma_engine.record.writing import AudioPiece
from omma_engine.sources.base import Media, SourcePacket
from omma_engine.sources.demux import COPIED_CODECS, Demuxer
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket

NEWS = "news.json"
_SCAN_SHARE = 0.1
_REPORT_S = 0.5
_LIMITS = Limits(memory_bytes=6 << 30, file_bytes=4 << 30, open_files=256)
_LONGEST_GROUP_S = 60.0
_LONGEST_STILL_S = 60.0


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What to do. `rotation` turns the picture clockwise, whatever the file says; None: as the file says.

    The first picture was taken at `start_us`; None: so that the last one was taken now. `takes_damaged`: a
    file that was cut off is taken as far as it goes.
    """

    source: Path
    root: Path
    volume_id: str
    stream_id: UUID
    start_us: int | None
    rotation: int | None = None
    takes_damaged: bool = False

    @property
    def begins_us(self) -> int:
        """Return when the first picture was taken, once that is known."""
        assert self.start_us is not None  # noqa: S101 (`import_video` sets it)
        return self.start_us

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "ImportJob":
        return cls(
            source=Path(raw["source"]),
            root=Path(raw["root"]),
            volume_id=str(raw["volume_id"]),
            stream_id=UUID(raw["stream_id"]),
            start_us=raw["start_us"],
            rotation=raw["rotation"],
            takes_damaged=bool(raw["takes_damaged"]),
        )


def run(raw: Mapping[str, Any], folder: Path, report: Callable[[float], None]) -> Path:
    """Import what a job says, in a process that gives up what it does not need."""
    give_up(_LIMITS, dies_with_parent=False)
    job = ImportJob.read(raw)
    shutil.rmtree(job.root, ignore_errors=True)  # what an earlier try left
    return import_video(job, folder, report)


def import_video(job: ImportJob, folder: Path, report: Callable[[float], None]) -> Path:
    """Import the file and return the file of news, in `folder`.

    Raises `VideoFileError`, and `StorageError` where the disk takes no more.
    """
    telling = _Telling(report)
    facts = scan(job.source, lambda share: telling.say(_SCAN_SHARE * share))
    if facts.is_truncated and not job.takes_damaged:
        raise VideoFileError(
            f"The file was cut off: it says {facts.stated_s:.1f} s and holds {facts.duration_s:.1f} s",
            reason="truncated",
        )
    if job.start_us is None:
        job = replace(job, start_us=time.time_ns() // 1000 - round(facts.duration_s * 1e6))
    rotation = facts.rotation if job.rotation is None else job.rotation
    is_copied = not rotation and _may_be_copied(facts)
    try:
        writer = _copied(job, facts, telling) if is_copied else _encoded(job, facts, rotation, telling)
    except av.FFmpegError as error:
        raise VideoFileError("Its pictures cannot be read", reason="not_a_video") from error
    if not writer.news:
        raise VideoFileError("There is no picture in it that can be shown", reason="no_pictures")
    made = folder / NEWS
    kept = {
        **asdict(facts),
        "is_truncated": facts.is_truncated,
        "is_copied": is_copied,
        "turned_by": rotation,
    }
    made.write_text(json.dumps({"facts": kept, "news": writer.news}))
    return made


def _may_be_copied(facts: VideoFacts) -> bool:
    is_dense = facts.longest_group_s <= _LONGEST_GROUP_S and facts.longest_still_s <= _LONGEST_STILL_S
    return facts.codec in COPIED_CODECS and is_dense


class _Telling:
    """Says how far it is, not too often."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self._report = report
        self._said_s = 0.0

    def say(self, share: float) -> None:
        if time.monotonic() - self._said_s >= _REPORT_S:
            self._said_s = time.monotonic()
            self._report(min(max(share, 0.0), 0.99))


def _copied(job: ImportJob, facts: VideoFacts, telling: _Telling) -> VideoWriter:
    """Write the packets as they are."""
    demuxer = Demuxer(open_video(job.source))
    try:
        info = demuxer.info()
        sound = SoundTrack(info.audio) if info.audio else None
        writer = _writer(job, info.video, sound)
        times = FileTime(job.begins_us, info.video.time_base)
        for packet in _packets(demuxer):
            if packet.codec is not None:
                writer.change_codec(packet.codec)
            if packet.media is Media.VIDEO:
                placed = times.place(packet.pts, packet.dts, packet.duration)
                writer.add(_picture(packet, placed.capture_us, placed.dts, placed.duration))
                telling.say(_share(placed.capture_us - job.begins_us, facts))
            elif sound is not None:
                _add_sound(writer, sound, packet, times)
        writer.finish()
        return writer
    finally:
        demuxer.close()


def _encoded(job: ImportJob, facts: VideoFacts, rotation: int, telling: _Telling) -> VideoWriter:
    """Decode, turn and encode."""
    encoder = UprightEncoder(rotation=rotation, frame_rate=facts.frame_rate)
    demuxer = Demuxer(open_video(job.source))
    writer: VideoWriter | None = None
    try:
        info = demuxer.info()
        sound = SoundTrack(info.audio) if info.audio else None
        times = FileTime(job.begins_us, info.video.time_base)
        for packet, frame in _frames(demuxer):
            if frame is None:
                if writer is not None and sound is not None and packet is not None:
                    _add_sound(writer, sound, packet, times)
                continue
            at_us = times.place(frame.pts or 0, frame.pts or 0, 0).capture_us
            for picture in encoder.encode(frame, at_us - job.begins_us):
                if writer is None and encoder.codec is not None:
                    writer = _writer(job, encoder.codec, sound)
                if writer is not None:
                    writer.add(_encoded_picture(picture.data, picture.ticks, job, facts, picture.is_keyframe))
            telling.say(_share(at_us - job.begins_us, facts))
        if writer is None:
            raise VideoFileError("There is no picture in it that can be decoded", reason="no_pictures")
        writer.finish()
        return writer
    finally:
        demuxer.close()


def _writer(job: ImportJob, codec: CodecInfo, sound: SoundTrack | None) -> VideoWriter:
    return VideoWriter(
        stream_id=job.stream_id,
        root=job.root,
        volume_id=job.volume_id,
        codec=codec,
        audio=sound.format if sound else None,
    )


def _packets(demuxer: Demuxer) -> Iterator[SourcePacket]:
    while True:
        try:
            delivery = demuxer.read()
        except SourceError:  # its end, or damaged from here on: what is before it was looked through
            return
        packets: list[SourcePacket] = []
        with contextlib.suppress(av.FFmpegError):  # a packet that was cut off
            packets = delivery.unpack()
        yield from packets


def _frames(demuxer: Demuxer) -> Iterator[tuple[SourcePacket | None, av.VideoFrame | None]]:
    """Yield decoded pictures, and the packets of sound beside them."""
    decoder = demuxer.video.codec_context
    decoder.thread_count = 2
    base = Fraction(*demuxer.info().video.time_base)
    for packet in _packets(demuxer):
        if packet.media is not Media.VIDEO:
            yield packet, None
            continue
        raw = av.Packet(packet.data)
        raw.pts, raw.dts, raw.time_base = packet.pts, packet.dts, base
        for frame in _decoded(decoder, raw):
            yield None, frame
    for frame in _decoded(decoder, None):
        yield None, frame


def _decoded(decoder: Any, raw: Any) -> list[av.VideoFrame]:
    try:
        frames: list[av.VideoFrame] = decoder.decode(raw)
    except av.FFmpegError:  # a damaged picture: the next keyframe mends it
        return []
    return [frame for frame in frames if frame.pts is not None]


def _picture(packet: SourcePacket, capture_us: int, dts: int, duration: int) -> EncodedPacket:
    return EncodedPacket(
        data=packet.data,
        pts=dts + (packet.pts - packet.dts),
        dts=dts,
        duration=duration,
        is_keyframe=packet.is_keyframe,
        capture_us=capture_us,
        clock=ClockSource.FILE,
        error_us=0,
        is_corrupt=packet.is_corrupt,
    )


def _encoded_picture(
    data: bytes, ticks: int, job: ImportJob, facts: VideoFacts, is_keyframe: bool
) -> EncodedPacket:
    return EncodedPacket(
        data=data,
        pts=ticks,
        dts=ticks,
        duration=duration_ticks(facts.frame_rate),
        is_keyframe=is_keyframe,
        capture_us=job.begins_us + ticks * 1_000_000 // TICKS_PER_SECOND,
        clock=ClockSource.FILE,
        error_us=0,
    )


def _add_sound(writer: VideoWriter, sound: SoundTrack, packet: SourcePacket, times: FileTime) -> None:
    for piece in sound.pieces(packet):
        at_us = times.sound_us(piece.media_us)
        if at_us is not None:
            writer.add_sound(AudioPiece(piece.data, at_us, piece.samples))


def _share(done_us: int, facts: VideoFacts) -> float:
    length_us = max(1.0, facts.duration_s * 1e6)
    return _SCAN_SHARE + (1 - _SCAN_SHARE) * done_us / length_us
