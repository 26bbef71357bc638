"""A time-lapse: pictures from far apart as an MP4, made in parts that are joined without encoding again."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_OPTIONS = {"preset": "veryfast", "crf": "23", "x264-params": "bframes=0"}


def write_part(
    pictures: Iterable[NDArray[np.uint8]], target: Path, *, frame_rate: int, size_wh: tuple[int, int]
) -> int:
    """Encode `(height, width, 3)` BGR pictures of one even size; return how many.

    The file appears whole, by rename; without any picture there is none.
    """
    waiting = target.with_suffix(".part")
    count = 0
    try:
        with av.open(str(waiting), "w", format="mp4") as output:
            stream = output.add_stream("libx264", rate=frame_rate, options=dict(_OPTIONS))
            stream.width, stream.height = size_wh
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1
            stream.codec_context.gop_size = frame_rate * 2
            for pixels in pictures:
                frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
                frame.pts, frame.time_base = count, Fraction(1, frame_rate)
                output.mux(stream.encode(frame))
                count += 1
            output.mux(stream.encode(None))
        if count:
            waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)
    return count


def join_parts(parts: Sequence[Path], target: Path, *, frame_rate: int) -> None:
    """Join parts of one size and rate, in their order, into a file with its index in front."""
    waiting = target.with_suffix(".part")
    written = 0
    try:
        with av.open(str(waiting), "w", format="mp4", options={"movflags": "faststart"}) as output:
            track: av.VideoStream | None = None
            for part in parts:
                with av.open(str(part)) as source:
                    if track is None:
                        track = output.add_stream_from_template(source.streams.video[0])
                    for packet in source.demux(video=0):
                        if packet.dts is None:
                            continue
                        packet.pts = packet.dts = written
                        packet.time_base, packet.duration = Fraction(1, frame_rate), 1
                        packet.stream = track
                        output.mux(packet)
                        written += 1
        waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)
