"""A virtual camera: it makes a picture whenever one is due and hands it to whoever is connected."""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from omma_engine.sources.pixel_code import PixelCode
from tests.farm.faults import Faults
from tests.farm.ledger import Emitted, LedgerEntry, entry_nal
from tests.farm.nal import AccessUnit, VideoCodec
from tests.farm.rtp import VIDEO_CLOCK_HZ, aggregate, payloads_of
from tests.farm.spec import CameraSpec
from tests.farm.video import Video, video_for

_BOOT_RTP_STEP = 0x1234_5678  # a rebooted camera starts its RTP clock elsewhere
_LATE_S = 1.0  # this much behind, the camera gives up catching up
_LEDGER_LENGTH = 1_000_000


@dataclass(frozen=True)
class Outgoing:
    """One picture on its way to the sessions."""

    unit: AccessUnit
    codec: VideoCodec
    entry: LedgerEntry
    rtp_time: int

    @property
    def is_keyframe(self) -> bool:
        return self.unit.is_keyframe

    @cached_property
    def nals(self) -> tuple[bytes, ...]:
        return (*self.unit.parameter_sets, entry_nal(self.codec, self.entry), *self.unit.slices)

    @cached_property
    def payloads(self) -> list[bytes]:
        """The RTP payloads: parameter sets aggregated, then the ledger entry, then the slices."""
        sets = [aggregate(self.unit.parameter_sets, self.codec)] if self.unit.parameter_sets else []
        slices = [part for nal in self.unit.slices for part in payloads_of(nal, self.codec)]
        return [*sets, entry_nal(self.codec, self.entry), *slices]


class Subscriber(Protocol):
    """Whoever takes pictures from a camera."""

    def offer(self, picture: Outgoing) -> bool:
        """Take the picture, or refuse it; never blocks."""
        ...


class VirtualCamera:
    """One camera. All methods run in the farm's event loop."""

    def __init__(self, number: int, spec: CameraSpec, *, phase: float = 0.0) -> None:
        self.number = number
        self.spec = spec
        self.faults = Faults()
        self.subscribers: set[Subscriber] = set()
        self.requests: Counter[str] = Counter()
        self.ready = asyncio.Event()
        self.parameter_sets: tuple[bytes, ...] = ()
        self._phase = phase
        self._emitted: deque[Emitted] = deque(maxlen=_LEDGER_LENGTH)
        self._video: Video | None = None
        self._successor: tuple[Video, CameraSpec] | None = None
        self._next = self._first_sequence = 0
        self._boots = 0
        self._began_s = self._began_us = self._rtp_zero_us = 0.0

    @property
    def ledger(self) -> list[Emitted]:
        return list(self._emitted)

    def rtp_time_at(self, utc_us: float) -> int:
        """Return the RTP clock of the video at `utc_us`, with the faults it has."""
        elapsed_s = (utc_us - self._rtp_zero_us) / 1_000_000
        ticks = round(elapsed_s * VIDEO_CLOCK_HZ * self.faults.rtp_rate)
        boot = self._boots * _BOOT_RTP_STEP
        return (self.spec.first_rtp_time + boot + ticks + self.faults.rtp_jump) & 0xFFFFFFFF

    def force_keyframe(self) -> None:
        if self._video is not None:
            self._video.force_keyframe()

    def reboot(self) -> None:
        """Let the RTP clock start elsewhere."""
        self._boots += 1

    async def change_video(self, *, width: int, height: int, codec: VideoCodec) -> None:
        """Go over to pictures of another size or codec; returns when the first of them is due."""
        spec = replace(self.spec, width=width, height=height, codec=codec)
        self.ready.clear()
        self._successor = (await asyncio.to_thread(video_for, spec, self.number), spec)
        await self.ready.wait()

    async def run(self) -> None:
        """Make pictures for ever."""
        self._video = await asyncio.to_thread(video_for, self.spec, self.number)
        loop = asyncio.get_running_loop()
        self._began_s = loop.time() + self._phase
        self._began_us = self._rtp_zero_us = time.time_ns() // 1000 + self._phase * 1_000_000
        while True:
            due_s = self._began_s + self._next / self.spec.fps
            late_s = loop.time() - due_s
            if late_s > _LATE_S:
                self._began_s += late_s
                self._began_us += late_s * 1_000_000
            await asyncio.sleep(max(0.0, -late_s))
            await self._make_picture()
            self._next += 1

    async def _make_picture(self) -> None:
        self._take_successor()
        assert self._video is not None
        code = PixelCode(self.number, self._next, self._utc_of(self._next))
        if self.spec.mode == "live":
            unit = await asyncio.to_thread(self._video.next_unit, code)
        else:
            unit = self._video.next_unit(code)
        if unit.parameter_sets:
            self.parameter_sets = unit.parameter_sets
            self.ready.set()
        self._hand_out(unit)

    def _take_successor(self) -> None:
        if self._successor is not None:
            self._video, self.spec = self._successor
            self._successor = None
            self._first_sequence = self._next

    def _hand_out(self, unit: AccessUnit) -> None:
        sequence = self._first_sequence + unit.order
        utc_us = self._utc_of(sequence - _reorder_frames(self.spec))
        entry = LedgerEntry(self.number, sequence, utc_us)
        picture = Outgoing(unit, self.spec.codec, entry, self.rtp_time_at(utc_us))
        deliveries = 0
        if not (unit.is_keyframe and self.faults.keyframes_withheld):
            deliveries = sum(subscriber.offer(picture) for subscriber in tuple(self.subscribers))
        emitted = Emitted(sequence, utc_us, unit.is_keyframe, picture.rtp_time, deliveries)
        self._emitted.append(emitted)

    def _utc_of(self, sequence: int) -> int:
        return round(self._began_us + sequence * 1_000_000 / self.spec.fps)


def _reorder_frames(spec: CameraSpec) -> int:
    """Return by how many pictures decoding order runs ahead of display order (x264 with its B pyramid)."""
    return 0 if spec.mode == "live" else min(spec.b_frames, 2)
