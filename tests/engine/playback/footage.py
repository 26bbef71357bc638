"""Segment files for tests: counted pictures in fragmented MP4, as a recorder writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from omma_engine.ids import uuid7
from omma_engine.playback.slices import SegmentSlice
from omma_engine.types import Fragment

RATE_HZ = 10
FRAME_US = 1_000_000 // RATE_HZ
SIZE_WH = (160, 96)
_BITS = 12
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Shot:
    """What to record: `count` pictures from number `first` on, a keyframe every `gop` of them."""

    start_us: int
    first: int
    count: int
    gop: int = RATE_HZ
    codec: str = "libx264"
    size_wh: tuple[int, int] = SIZE_WH
    preset: str = "ultrafast"
    tone_hz: int = 0


def record(root: Path, shot: Shot) -> SegmentSlice:
    """Write one segment file below `root` and return it with its fragment index."""
    name = f"{shot.start_us}-{uuid7()}.mp4"
    _encode(root / name, shot)
    fragments = index_fragments(root / name)
    size = (root / name).stat().st_size
    codec = {"libx264": "h264", "libx265": "hevc"}[shot.codec]
    return SegmentSlice(
        segment_id=uuid7(shot.start_us // 1000),
        root=root,
        path=name,
        start_us=shot.start_us,
        init_size=fragments[0].offset,
        durable_bytes=size,
        codec=codec,
        width=shot.size_wh[0],
        height=shot.size_wh[1],
        fragments=fragments,
    )


def record_run(root: Path, *, start_us: int, seconds: Sequence[int], first: int = 0) -> list[SegmentSlice]:
    """Record contiguous segments of the given lengths, the pictures counted through."""
    slices = []
    for length_s in seconds:
        slices.append(record(root, Shot(start_us=start_us, first=first, count=length_s * RATE_HZ)))
        start_us += length_s * _SECOND_US
        first += length_s * RATE_HZ
    return slices


def read_numbers(path: Path) -> list[tuple[int, int]]:
    """Decode a clip: `(picture number, time in µs)` of every picture, in the order shown."""
    with av.open(str(path)) as source:
        return [
            (
                number_in(np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)),
                round(frame.pts * frame.time_base * _SECOND_US),
            )
            for frame in source.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]


def number_in(gray: NDArray[np.uint8]) -> int:
    """Read the number painted into a `(height, width)` uint8 picture."""
    blocks = np.array_split(gray, _BITS, axis=1)
    return sum(1 << bit for bit, block in enumerate(blocks) if block.mean() > 127)


def index_fragments(path: Path) -> tuple[Fragment, ...]:
    """Return the fragments of a file from its boxes and packets, times relative to the first picture."""
    bounds = _fragment_bounds(path.read_bytes())
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.pts is not None]
    base = packets[0].time_base
    origin = packets[0].pts
    assert base is not None
    assert origin is not None
    fragments: list[Fragment] = []
    for offset, size in bounds:
        inside = [one for one in packets if one.pos is not None and offset <= one.pos < offset + size]
        if not inside:  # sound that outlasts the picture belongs to the last fragment
            fragments[-1] = replace(fragments[-1], size=offset + size - fragments[-1].offset)
            continue
        starts = [(one.pts or 0) - origin for one in inside]
        start = round(min(starts) * base * _SECOND_US)
        duration = round(sum(one.duration or 0 for one in inside) * base * _SECOND_US)
        fragments.append(Fragment(start, duration, offset, size, bool(inside[0].is_keyframe)))
    return tuple(fragments)


def _encode(path: Path, shot: Shot) -> None:
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}
    with av.open(str(path), "w", format="mp4", options=options) as output:
        stream = output.add_stream(shot.codec, rate=RATE_HZ)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = shot.size_wh
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = shot.gop
        stream.options = {"preset": shot.preset, "tune": "zerolatency", "g": str(shot.gop), "keyint_min": "1"}
        if shot.codec == "libx265":
            stream.options["x265-params"] = (
                f"log-level=none:keyint={shot.gop}:min-keyint={shot.gop}:scenecut=0"
            )
        else:
            stream.options["x264-params"] = "scenecut=0"
        audio = output.add_stream("aac", rate=8000, layout="mono") if shot.tone_hz else None
        for index in range(shot.count):
            frame = av.VideoFrame.from_ndarray(_picture(shot.first + index, shot.size_wh), format="gray")
            frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
            output.mux(stream.encode(frame.reformat(format="yuv420p")))
            if isinstance(audio, av.AudioStream):
                output.mux(audio.encode(_sound(index)))
        output.mux(stream.encode(None))
        if isinstance(audio, av.AudioStream):
            output.mux(audio.encode(None))


def _sound(index: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.float32), format="fltp", layout="mono")
    # An AAC encoder starts 1024 samples early; a muxer would move every track by that much.
    frame.sample_rate, frame.pts, frame.time_base = 8000, index * 800 + 1024, Fraction(1, 8000)
    return frame


def _picture(number: int, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    gray = np.zeros((size_wh[1], size_wh[0]), dtype=np.uint8)
    for bit, block in enumerate(np.array_split(gray, _BITS, axis=1)):
        block[:] = 235 if number >> bit & 1 else 16
    return gray


def _fragment_bounds(data: bytes) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    position = start = 0
    while position < len(data):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        start = position if kind == b"moof" else start
        position += size
        if kind == b"mdat":
            bounds.append((start, position - start))
    return bounds
