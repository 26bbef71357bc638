"""Coded video for tests of the engine: encoded once per process, small, every picture its own brightness."""

import json
import uuid
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from omma_engine.sources.nal import head_of
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket, RecordMode, StreamSpec

WIDTH, HEIGHT, RATE = 192, 128, 10
TICKS = 90_000 // RATE
START_US = 1_772_452_800_000_000  # 2026-03-02 12:00 UTC

_ENCODERS = {"h264": "libx264", "hevc": "libx265", "mpeg4": "mpeg4"}


@cache
def coded(
    codec: str = "h264",
    *,
    frames: int = 20,
    gop: int = 10,
    b_frames: int = 0,
    open_gop: int = 0,
    width: int = WIDTH,
) -> tuple[av.Packet, ...]:  # type: ignore[type-arg] # not subscriptable at run time
    """Return encoded pictures in Annex B, in decoding order; ticks are frame numbers."""
    context = cast("VideoCodecContext", av.CodecContext.create(_ENCODERS[codec], "w"))  # all are video
    context.width, context.height, context.pix_fmt = width, HEIGHT, "yuv420p"
    context.time_base = Fraction(1, RATE)
    context.framerate = Fraction(RATE)
    context.gop_size, context.max_b_frames, context.thread_count = gop, b_frames, 1
    if codec == "h264":
        context.options = {
            "preset": "ultrafast",
            "x264-params": f"scenecut=0:bframes={b_frames}:open-gop={open_gop}:repeat-headers=1",
        }
    elif codec == "hevc":
        context.options = {
            "preset": "ultrafast",
            "x265-params": f"log-level=none:repeat-headers=1:scenecut=0:bframes={b_frames}:keyint={gop}"
            f":open-gop={open_gop}",
        }
    packets = []
    for number in range(frames):
        packets.extend(context.encode(picture(number, width)))
    packets.extend(context.encode(None))
    return tuple(packets)


def picture(number: int, width: int = WIDTH) -> av.VideoFrame:
    """Return a picture whose brightness tells its number (0 to 99)."""
    frame = av.VideoFrame(width, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, (20 + number % 100 * 2, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def number_of(frame: av.VideoFrame) -> int:
    """Return the number that a decoded picture shows."""
    return round((bytes(frame.planes[0])[frame.planes[0].line_size * 50 + 50] - 20) / 2)


def codec_info(codec: str = "h264", *, width: int = WIDTH, **made: int) -> CodecInfo:
    """Return the codec of `coded` video."""
    first = bytes(coded(codec, width=width, **made)[0])
    return CodecInfo(codec, width, HEIGHT, (1, 90_000), head_of(codec, first).parameter_sets, (RATE, 1))


def stamped(
    count: int = 20, *, start_us: int = START_US, first_tick: int = 0, codec: str = "h264", **made: int
) -> list[EncodedPacket]:
    """Return pictures with capture times, beginning with a keyframe."""
    packets = []
    for packet in coded(codec, frames=count, **made):
        assert packet.pts is not None
        assert packet.dts is not None
        packets.append(
            EncodedPacket(
                data=bytes(packet),
                pts=first_tick + packet.pts * TICKS,
                dts=first_tick + packet.dts * TICKS,
                duration=TICKS,
                is_keyframe=packet.is_keyframe,
                capture_us=start_us + packet.pts * 1_000_000 // RATE,
                clock=ClockSource.ARRIVAL,
                error_us=500,
            )
        )
    return packets


def write_file(
    path: Path, codec: str = "h264", *, frames: int = 20, tone: str | None = None, b_frames: int = 0
) -> Path:
    """Write a plain media file; `tone` names a sound codec to put beside the pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_mux_stream(
            codec, rate=Fraction(RATE), width=WIDTH, height=HEIGHT, time_base=Fraction(1, 90_000)
        )
        sound = cast("av.AudioStream", container.add_stream(tone, rate=8000, layout="mono")) if tone else None
        for packet in coded(codec, frames=frames, b_frames=b_frames):
            copy = av.Packet(bytes(packet))
            assert packet.pts is not None
            assert packet.dts is not None
            copy.stream, copy.is_keyframe = stream, packet.is_keyframe
            copy.time_base = Fraction(1, 90_000)
            copy.pts, copy.dts, copy.duration = packet.pts * TICKS, packet.dts * TICKS, TICKS
            container.mux_one(copy)
        if sound is not None:
            _write_tone(container, sound, frames)
    return path


def _write_tone(container: av.container.OutputContainer, sound: av.AudioStream, frames: int) -> None:
    for number in range(frames * 8000 // RATE // 800):
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.sample_rate, frame.pts, frame.time_base = 8000, number * 800, Fraction(1, 8000)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


def make_volume(root: Path) -> Path:
    """Make a folder a volume."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "omma-volume.json").write_text(json.dumps({"volume_id": str(uuid.uuid4()), "format": 1}))
    return root


def stream_spec(root: Path, *, mode: RecordMode = RecordMode.CONTINUOUS, segment_s: int = 60) -> StreamSpec:
    return StreamSpec(uuid.uuid4(), "main", mode, root, segment_s=segment_s)


def decoded_numbers(path: Path) -> list[int]:
    """Return the numbers of all pictures that a file alone shows, in their order."""
    with av.open(str(path)) as container:
        return [number_of(frame) for frame in container.decode(video=0)]
