"""A recorder under test."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omma_engine.record.header import AudioFormat
from omma_engine.record.recorder import Coding, StreamRecorder
from omma_engine.record.volume import IDENTITY_FILE
from omma_engine.timing.recorded_time import RecordedTime
from omma_engine.types import EncodedPacket, RecordMode, VolumeSpec
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
        others: Sequence[Path] = (),
        **made: int,
    ) -> None:
        self.root = make_volume(root)
        self.roots = {one.name: one for one in (root, *map(make_volume, others))}
        self._ids = {name: _volume_id(one) for name, one in self.roots.items()}
        self.clock = FakeClock()
        self.time = RecordedTime(self.clock)
        self.news: list[dict[str, Any]] = []
        spec = replace(
            stream_spec(self.root, mode=mode, segment_s=segment_s),
            volume_id=self.id_of(root.name),
            other_volumes=tuple(VolumeSpec(one, self.id_of(one.name)) for one in others),
        )
        self.recorder = StreamRecorder(spec, epoch=7 << 20, say=self.news.append, clock=self.time)
        self.recorder.set_coding(Coding(codec_info(codec, **made), audio))

    def feed(self, packets: list[EncodedPacket]) -> None:
        for packet in packets:
            self.clock.advance(0.1)
            self.recorder.add_video(packet)
            self.recorder.tick()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.news if each["kind"] == kind]

    def id_of(self, name: str) -> str:
        """Return the id of the volume in a folder of this name."""
        return self._ids[name]

    def files(self) -> list[Path]:
        return [self.root / each["path"] for each in self.of_kind("segment_open")]


def _volume_id(root: Path) -> str:
    return str(json.loads((root / IDENTITY_FILE).read_text())["volume_id"])
