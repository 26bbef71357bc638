"""Detections per second: the model host's own path against a bare loop of decoding and ONNX Runtime.

Both take the same video and the same model, every picture, with one thread for the model.
"""

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import numpy as np
import onnxruntime

from omma_engine.clock import SystemClock
from omma_engine.detect.spec import ModelSpec
from omma_engine.inference.feed import StreamFeed
from omma_engine.inference.frames import CAPACITY
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.inference.workbench import Workbench
from omma_engine.ports import DemandLevel
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket, PacketSizes
from tests.bench.report import Row

_SHARED = Path(os.environ.get("OMMA_SHARED_DIR", Path(__file__).parents[3] / "shared"))
MODEL = _SHARED / "models" / "fastestdet-coco.onnx"
VIDEO = _SHARED / "media" / "one-by-one-person-detection.mp4"
ROUNDS = 3
WINDOW_S = 5.0
_CPU_GOAL = 1 / 0.9
_FPS = 30
_PERIOD_US = 1_000_000 // _FPS


@dataclass(frozen=True, slots=True)
class Speed:
    """Pictures through a loop, and what they took."""

    pictures: int
    cpu_s: float
    wall_s: float

    def __add__(self, other: "Speed") -> "Speed":
        return Speed(self.pictures + other.pictures, self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)


def measure() -> list[Row]:
    """Alternate the two loops."""
    if not (MODEL.exists() and VIDEO.exists()):
        return [Row("detections", None, "/s", note="not run: the shared model and media are not here")]
    host, bare = Speed(0, 0, 0), Speed(0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="omma-bench-") as folder:
        for _ in range(ROUNDS):
            host += _host_speed(Path(folder))
            bare += _bare_speed()
    ours, theirs = 1000 * host.cpu_s / host.pictures, 1000 * bare.cpu_s / bare.pictures
    return [
        Row(
            "CPU per detection against a bare loop",
            ours / theirs,
            "x",
            _CPU_GOAL,
            note=f"{ours:.2f} ms against {theirs:.2f} ms of a core",
        ),
        Row(
            "detections, model host",
            host.pictures / host.wall_s,
            "/s",
            note="decoding in a thread of its own",
        ),
        Row("detections, bare loop", bare.pictures / bare.wall_s, "/s", note="one thread"),
    ]


def _timed(work: Callable[[float], int]) -> Speed:
    cpu_s, wall_s = time.process_time(), time.monotonic()
    pictures = work(wall_s + WINDOW_S)
    return Speed(pictures, time.process_time() - cpu_s, time.monotonic() - wall_s)


# --- the bare loop --------------------------------------------------------------------------------------


def _bare_speed() -> Speed:
    """Decode, scale, and run the model, with nothing around it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
    (tensor,) = session.get_inputs()
    height, width = tensor.shape[2:]

    def work(until_s: float) -> int:
        pictures = 0
        while True:
            with av.open(str(VIDEO), timeout=(5.0, 5.0)) as container:
                container.streams.video[0].codec_context.thread_count = 1
                for frame in container.decode(video=0):
                    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
                    batch = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
                    session.run(None, {tensor.name: batch})
                    pictures += 1
                    if time.monotonic() > until_s:
                        return pictures

    return _timed(work)


# --- the model host -------------------------------------------------------------------------------------


def _host_speed(folder: Path) -> Speed:
    """Let a host's workbench take every picture of an endless stream, as fast as it can."""
    stream_id, rung = uuid4(), threading.Event()
    results = _CountedResults()
    pace = _Pace()
    bench = Workbench(
        open_reader=lambda _stream, _level: _EndlessReader(pace),
        results=results,
        pictures=PictureStore(folder),
        clock=SystemClock(),
        say=lambda *_: None,
        on_picture=rung.set,
    )
    model = ModelSpec("bench", file=str(MODEL), sha256=hashlib.sha256(MODEL.read_bytes()).hexdigest())
    bench.add(AnalyticSpec(uuid4(), stream_id, model, rate_fps=_FPS, min_confidence=0.4), epoch=1)
    (pace.feed,) = bench.feeds

    def work(until_s: float) -> int:
        before = results.count
        while time.monotonic() < until_s:
            if not bench.analyse_waiting():
                rung.wait(0.1)
            rung.clear()
        return results.count - before

    work(time.monotonic() + 1.0)  # until the scene is awake and every picture is wanted
    try:
        return _timed(work)
    finally:
        bench.stop()


class _CountedResults:
    """Counts results instead of sending them."""

    def __init__(self) -> None:
        self.count = 0

    def publish(self, stream_id: UUID, message: Mapping[str, Any]) -> None:
        self.count += 1

    def close(self) -> None:
        return


@dataclass(slots=True)
class _Pace:
    """Lets a reader see whether the host has room for another picture, so that none is dropped."""

    feed: StreamFeed | None = None

    @property
    def has_room(self) -> bool:
        return self.feed is not None and len(self.feed.queue) < CAPACITY


class _EndlessReader:
    """A reader of the bus that has the video again and again, with times that go on."""

    missed = 0

    def __init__(self, pace: _Pace) -> None:
        self._pace = pace
        info, packets = _read_video()
        self._waiting: Iterator[CodecInfo | EncodedPacket] = chain([info], _endless(packets))

    def read(self, timeout_s: float) -> list[CodecInfo | EncodedPacket | PacketSizes]:
        while not self._pace.has_room:
            time.sleep(0.0005)
        return [next(self._waiting)]

    def set_level(self, level: DemandLevel) -> None:
        """Give everything, whatever is wanted: what comes too early is left out."""

    def close(self) -> None:
        return


def _endless(packets: list[EncodedPacket]) -> Iterator[EncodedPacket]:
    """Repeat the packets, each round behind the one before, times as if `_FPS` pictures came a second."""
    began_us = time.time_ns() // 1000
    for first in count(step=len(packets)):
        for packet in packets:
            pts, dts = first + packet.pts, first + packet.dts
            yield replace(packet, pts=pts, dts=dts, capture_us=began_us + pts * _PERIOD_US)


def _read_video() -> tuple[CodecInfo, list[EncodedPacket]]:
    """Return the video's packets; their times count pictures."""
    with av.open(str(VIDEO), timeout=(5.0, 5.0)) as container:
        stream = container.streams.video[0]
        info = CodecInfo(
            codec=stream.codec_context.name,
            width=stream.width,
            height=stream.height,
            time_base=(1, _FPS),
            extradata=stream.codec_context.extradata or b"",
        )
        found = [
            (packet.pts, bytes(packet), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.pts is not None
        ]
    numbers = {pts: number for number, pts in enumerate(sorted(pts for pts, _, _ in found))}
    return info, [
        EncodedPacket(data, numbers[pts], order, 1, is_keyframe, 0, ClockSource.FILE, 0)
        for order, (pts, data, is_keyframe) in enumerate(found)
    ]
