"""A recorder under test."""

from pathlib import Path
from typing import Any

from omma_engine.record.muxer import AudioFormat
from omma_engine.record.recorder import Coding, StreamRecorder
from omma_engine.types import EncodedPacket, RecordMode
from tests.clocks import FakeClock
from tests.engine.coded import codec_info, make_volume, stream_spec


class Recording:
    """A recorder on a volume, its clock, and the news that it said."""

    def __init__(
        self,
        root: Path,
        *,
        codec: str = "h264",
        audio: AudioFormat | None = None,
        mode: RecordMode = RecordMode.CONTINUOUS,
        segment_s: int = 60,
        **made: int,
    ) -> None:
        self.root = make_volume(root)
        self.clock = FakeClock()
        self.news: list[dict[str, Any]] = []
        spec = stream_spec(self.root, mode=mode, segment_s=segment_s)
        self.recorder = StreamRecorder(spec, epoch=7 << 20, say=self.news.append, clock=self.clock)
        self.recorder.set_coding(Coding(codec_info(codec, **made), audio))

    def feed(self, packets: list[EncodedPacket]) -> None:
        for packet in packets:
            self.clock.advance(0.1)
            self.recorder.add_video(packet)
            self.recorder.tick()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.news if each["kind"] == kind]

    def files(self) -> list[Path]:
        return [self.root / each["path"] for each in self.of_kind("segment_open")]
