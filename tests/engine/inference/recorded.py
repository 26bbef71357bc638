"""Recorded video as a stream on a bus: written by `write_video`, read by the readers that `connect` makes."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import av
import numpy as np
import numpy.typing as npt

from omma_engine.ports import DemandLevel
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket, PacketSizes

START_US = 1_700_000_000_000_000
BusItem = CodecInfo | EncodedPacket | PacketSizes


def write_video(
    path: Path, pictures: Iterable[npt.NDArray[np.uint8]], *, fps: int = 10, gop: int = 20, b_frames: int = 0
) -> Path:
    """Encode BGR pictures as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "23", "threads": "1", "sc_threshold": "0"}
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())
    return path


def read_video(path: Path) -> tuple[CodecInfo, list[EncodedPacket]]:
    """Return a file's codec and all its packets, the first taken at `START_US`."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        info = CodecInfo(
            codec=stream.codec_context.name,
            width=stream.width,
            height=stream.height,
            time_base=(base.numerator, base.denominator),
            extradata=stream.codec_context.extradata or b"",
        )
        packets = [
            EncodedPacket(
                data=bytes(packet),
                pts=packet.pts,
                dts=packet.dts,
                duration=packet.duration or 0,
                is_keyframe=packet.is_keyframe,
                capture_us=START_US + round(packet.pts * base * 1_000_000),
                clock=ClockSource.FILE,
                error_us=0,
            )
            for packet in container.demux(stream)
            if packet.pts is not None and packet.dts is not None
        ]
    return info, packets


class RecordedReader:
    """Hands out packets as a bus would, at `speed` times their pace (0: as fast as they are read)."""

    def __init__(
        self, info: CodecInfo, packets: list[EncodedPacket], level: DemandLevel, speed: float
    ) -> None:
        self._info: CodecInfo | None = info
        self._packets = packets
        self._level = level
        self._speed = speed
        self._began_s = time.monotonic()
        self._next = 0
        self._gop_start = 0
        self.missed = 0
        self.levels = [level]

    @property
    def is_done(self) -> bool:
        return self._next >= len(self._packets)

    def read(self, timeout_s: float) -> list[BusItem]:
        items = self._due_items()
        if not items:
            time.sleep(min(timeout_s, 0.01 if self._speed else timeout_s))
        return items

    def set_level(self, level: DemandLevel) -> None:
        if level is DemandLevel.EVERYTHING and self._level is DemandLevel.KEYFRAMES:
            self._next = self._gop_start + 1
        self._level = level
        self.levels.append(level)

    def close(self) -> None:
        return

    def _due_items(self) -> list[BusItem]:
        items: list[BusItem] = []
        if self._info is not None:
            items, self._info = [self._info], None
        while not self.is_done and len(items) < 4 and self._is_due(self._packets[self._next]):
            packet = self._packets[self._next]
            if packet.is_keyframe:
                self._gop_start = self._next
            if packet.is_keyframe or self._level is DemandLevel.EVERYTHING:
                items.append(packet)
            else:
                items.append(PacketSizes(((packet.capture_us, len(packet.data)),)))
            self._next += 1
        return items

    def _is_due(self, packet: EncodedPacket) -> bool:
        if not self._speed:
            return True
        return (packet.capture_us - START_US) / 1e6 <= (time.monotonic() - self._began_s) * self._speed


def connect(url: str) -> Callable[[UUID, DemandLevel], RecordedReader]:
    """Read `file:/folder?speed=2`: the stream with an id plays `<id>.mp4` in that folder."""
    parts = urlsplit(url)
    speed = float(parse_qs(parts.query)["speed"][0])

    def open_reader(stream_id: UUID, level: DemandLevel) -> RecordedReader:
        info, packets = read_video(Path(parts.path) / f"{stream_id}.mp4")
        return RecordedReader(info, packets, level, speed)

    return open_reader
