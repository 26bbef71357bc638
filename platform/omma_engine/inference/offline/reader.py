"""Recorded packets, handed out as a bus would hand them out, as fast as they are asked for."""

import logging
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from omma_engine.errors import FootageMissingError
from omma_engine.inference.offline.spec import FootageFile
from omma_engine.playback.files import PieceFile, open_beneath
from omma_engine.ports import DemandLevel
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket, Fragment, PacketSizes

logger = logging.getLogger(__name__)

BatchItem = CodecInfo | EncodedPacket | PacketSizes

_BATCH_US = 200_000  # as often as a live stream tells the sizes of what it does not send
_MOST_HELD_BYTES = 256 << 20
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A packet still in its container's form, and how it is coded."""

    info: CodecInfo
    packet: "av.Packet[av.VideoStream]"
    capture_us: int

    @property
    def is_keyframe(self) -> bool:
        return self.packet.is_keyframe

    def encoded(self) -> EncodedPacket:
        packet = self.packet
        pts = packet.pts or 0
        return EncodedPacket(
            data=bytes(packet),
            pts=pts,
            dts=pts if packet.dts is None else packet.dts,
            duration=packet.duration or 0,
            is_keyframe=packet.is_keyframe,
            capture_us=self.capture_us,
            clock=ClockSource.FILE,
            error_us=0,
        )


class FootageReader:
    """A `PacketReader` over segment files, from the last keyframe at or before `start_us`. One thread.

    What it withholds at level `KEYFRAMES` it keeps up to the next keyframe, and hands out when the level is
    raised. Files that are gone or cannot be read are counted in `unreadable` and passed over.
    """

    def __init__(self, footage: Sequence[FootageFile], *, start_us: int, end_us: int) -> None:
        self.unreadable = 0
        self.missed = 0
        self.reached_us = 0
        self.is_done = False
        self._footage = footage
        self._start_us = start_us
        self._end_us = end_us
        self._level = DemandLevel.KEYFRAMES
        self._packets = self._from_the_start()
        self._info: CodecInfo | None = None
        self._held: list[_Recorded] = []  # of this group of pictures, and not handed out
        self._held_bytes = 0
        self._is_cut = False  # too much was withheld: the rest of this group cannot be decoded
        self._released: deque[_Recorded] = deque()

    def read(self, timeout_s: float = 0.0) -> list[BatchItem]:
        """Return the next fifth of a second, or the next keyframe where nothing lies before it."""
        batch: list[BatchItem] = []
        while self._released:
            self._hand_out(self._released.popleft(), batch)
        if batch:
            return batch
        sizes: list[tuple[int, int]] = []
        began_us: int | None = None
        for recorded in self._packets:
            began_us = recorded.capture_us if began_us is None else began_us
            self.reached_us = max(self.reached_us, recorded.capture_us)
            if recorded.is_keyframe and sizes:
                batch.append(PacketSizes(tuple(sizes)))
                sizes = []
            self._take(recorded, batch, sizes)
            if recorded.is_keyframe or recorded.capture_us - began_us >= _BATCH_US:
                return [*batch, PacketSizes(tuple(sizes))] if sizes else batch
        self.is_done = True
        return [*batch, PacketSizes(tuple(sizes))] if sizes else batch

    def set_level(self, level: DemandLevel) -> None:
        """Change what is wanted; when it is raised, what was withheld of the current group follows."""
        if level is DemandLevel.EVERYTHING and self._level is not DemandLevel.EVERYTHING:
            self._released.extend(self._held)
            self._held, self._held_bytes = [], 0
        self._level = level

    def close(self) -> None:
        """Close the file that is being read."""
        self._packets.close()

    def _take(self, recorded: _Recorded, batch: list[BatchItem], sizes: list[tuple[int, int]]) -> None:
        if recorded.is_keyframe:
            self._held, self._held_bytes, self._is_cut = [], 0, False
            self._hand_out(recorded, batch)
        elif self._level is DemandLevel.EVERYTHING and not self._is_cut:
            self._hand_out(recorded, batch)
        else:
            sizes.append((recorded.capture_us, recorded.packet.size))
            self._hold(recorded)

    def _hold(self, recorded: _Recorded) -> None:
        if self._is_cut:
            return
        self._held.append(recorded)
        self._held_bytes += recorded.packet.size
        if self._held_bytes > _MOST_HELD_BYTES:
            self.missed += len(self._held)
            self._held, self._held_bytes, self._is_cut = [], 0, True

    def _hand_out(self, recorded: _Recorded, batch: list[BatchItem]) -> None:
        if recorded.info != self._info:
            self._info = recorded.info
            batch.append(recorded.info)
        batch.append(recorded.encoded())

    def _from_the_start(self) -> Generator[_Recorded]:
        """Yield everything from the last keyframe at or before the start."""
        lead: list[_Recorded] | None = []
        for recorded in self._all():
            if lead is None:
                yield recorded
            elif recorded.capture_us >= self._start_us:
                yield from ([] if recorded.is_keyframe else lead)
                lead = None
                yield recorded
            elif recorded.is_keyframe:
                lead = [recorded]
            else:
                lead.append(recorded)

    def _all(self) -> Iterator[_Recorded]:
        for file in self._footage:
            if file.end_us <= self._start_us:
                continue
            if file.start_us >= self._end_us:
                return
            try:
                yield from self._packets_of(file)
            except (FootageMissingError, av.FFmpegError, IndexError, OSError) as exc:
                logger.warning("footage %s cannot be read: %s", file.path, exc)
                self.unreadable += 1

    def _packets_of(self, file: FootageFile) -> Iterator[_Recorded]:
        limit_us = min(self._end_us, self._end_us if file.limit_us is None else file.limit_us)
        with _opened(file) as source, av.open(source, "r", format="mp4", buffer_size=_BUFFER_BYTES) as opened:
            video = opened.streams.video[0]
            info = _info_of(video)
            numerator, denominator = info.time_base
            for packet in opened.demux(video):
                if packet.pts is None or not packet.size:
                    continue
                capture_us = file.start_us + packet.pts * 1_000_000 * numerator // denominator
                if capture_us < limit_us:
                    yield _Recorded(info, packet, capture_us)


def _opened(file: FootageFile) -> PieceFile:
    descriptor = open_beneath(Path(file.root), file.path)
    whole = Fragment(0, 0, file.init_size, file.durable_bytes - file.init_size, is_keyframe=True)
    return PieceFile(descriptor, init_size=file.init_size, fragments=[whole])


def _info_of(video: "av.VideoStream") -> CodecInfo:
    context = video.codec_context
    base = video.time_base
    rate = video.average_rate
    return CodecInfo(
        codec=context.codec.canonical_name,
        width=context.width,
        height=context.height,
        time_base=(base.numerator, base.denominator) if base else (1, 90_000),
        extradata=context.extradata or b"",
        frame_rate=(rate.numerator, rate.denominator) if rate else (0, 1),
    )
