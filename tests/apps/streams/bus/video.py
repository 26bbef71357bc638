"""Small real video, encoded once: what a capture child would offer to the bus."""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np

from omma_engine.types import ClockSource, CodecInfo, EncodedPacket

FRAME_RATE = 25
FRAME_US = 1_000_000 // FRAME_RATE
START_US = 1_760_000_000_000_000
TIME_BASE = (1, 90_000)
TICKS = 90_000 // FRAME_RATE


@lru_cache
def clip(
    *,
    frames: int = 50,
    gop: int = 10,
    b_frames: int = 0,
    codec: str = "libx264",
    size_wh: tuple[int, int] = (160, 96),
) -> tuple[CodecInfo, tuple[EncodedPacket, ...]]:
    """Return a codec and its packets in decoding order: a bright bar walks from the left to the right."""
    encoder = _encoder(codec, gop, b_frames, size_wh)
    coded = [packet for index in range(frames) for packet in encoder.encode(_picture(index, frames, size_wh))]
    coded += encoder.encode(None)
    info = CodecInfo(
        codec=encoder.codec.canonical_name,
        width=size_wh[0],
        height=size_wh[1],
        time_base=TIME_BASE,
        extradata=encoder.extradata or b"",
        frame_rate=(FRAME_RATE, 1),
    )
    return info, tuple(_packet(packet) for packet in coded)


def shifted(packets: tuple[EncodedPacket, ...], by_us: int) -> list[EncodedPacket]:
    """Return the packets as if they had been captured later."""
    ticks = by_us * TIME_BASE[1] // 1_000_000
    return [
        replace(packet, pts=packet.pts + ticks, dts=packet.dts + ticks, capture_us=packet.capture_us + by_us)
        for packet in packets
    ]


def _encoder(codec: str, gop: int, b_frames: int, size_wh: tuple[int, int]) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size_wh
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, FRAME_RATE)
    encoder.gop_size = gop
    encoder.max_b_frames = b_frames
    fixed_gop = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    if codec == "libx265":
        encoder.options = {
            "preset": "ultrafast",
            "x265-params": f"{fixed_gop}:log-level=none:repeat-headers=1",
        }
    else:
        encoder.options = {"preset": "veryfast", "x264-params": f"{fixed_gop}:b-adapt=0"}
    return encoder


def _picture(index: int, frames: int, size_wh: tuple[int, int]) -> av.VideoFrame:
    width, height = size_wh
    pixels = np.full((height, width, 3), 40, np.uint8)
    left = index * (width - 16) // frames
    pixels[:, left : left + 16] = 230
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
    frame.pts = index
    return frame


def _packet(packet: "av.Packet[av.VideoStream]") -> EncodedPacket:
    assert packet.pts is not None
    assert packet.dts is not None
    return EncodedPacket(
        data=bytes(packet),
        pts=packet.pts * TICKS,
        dts=packet.dts * TICKS,
        duration=TICKS,
        is_keyframe=packet.is_keyframe,
        capture_us=START_US + packet.pts * FRAME_US,
        clock=ClockSource.ARRIVAL,
        error_us=500,
    )
