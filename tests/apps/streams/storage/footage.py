"""Real segments on a real volume, indexed as capture does it."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.streams.models import Segment, Stream, Volume
from apps.streams.sinks import CaptureSink
from omma_engine.ports import NewsItem
from omma_engine.record.recorder import Coding, StreamRecorder
from omma_engine.types import RecordMode, StreamSpec
from tests.apps.recordings.archive import Archive
from tests.clocks import FakeClock
from tests.engine.coded import START_US, codec_info, stamped

FRAMES = 60  # six seconds: three segments of two
SECOND_US = 1_000_000
LONG_AGO_S = 1_772_452_900


@dataclass
class Recorded:
    """What was recorded: its news, and how to look at rows and files."""

    stream: Stream
    volume: Volume
    news: list[dict[str, Any]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return Path(self.volume.root)

    def rows(self) -> list[Segment]:
        return list(Segment.objects.filter(stream=self.stream).order_by("start", "epoch"))

    def path(self, number: int) -> Path:
        paths: list[str] = [one["path"] for one in self.news if one["kind"] == "segment_open"]
        return self.root / paths[number]

    def commit(self) -> None:
        """Index it."""
        CaptureSink().commit(
            NewsItem(self.stream.source_id, one.get("epoch", 7 << 20), number, one)
            for number, one in enumerate(self.news)
        )


def record(
    archive: Archive, *, frames: int = FRAMES, start_s: int = 0, epoch: int = 7 << 20, is_indexed: bool = True
) -> Recorded:
    """Record `frames` pictures, ten a second, in segments of two seconds; the files are old at once."""
    made = Recorded(archive.stream, archive.volume)
    spec = StreamSpec(archive.stream.pk, "main", RecordMode.CONTINUOUS, made.root, segment_s=2)
    clock = FakeClock()
    recorder = StreamRecorder(spec, epoch=epoch, say=made.news.append, clock=clock)
    recorder.set_coding(Coding(codec_info("h264", frames=FRAMES), None))
    for packet in stamped(FRAMES, start_us=START_US + start_s * SECOND_US)[:frames]:
        clock.advance(0.1)
        recorder.add_video(packet)
        recorder.tick()
    recorder.finish()
    for path in (made.root / "segments").rglob("*.mp4"):
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    if is_indexed:
        made.commit()
    return made


def tear(path: Path, size: int) -> None:
    """Cut a file, without making it look new."""
    os.truncate(path, size)
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))


def flip(path: Path, offset: int) -> None:
    """Turn over the bits of one byte."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
