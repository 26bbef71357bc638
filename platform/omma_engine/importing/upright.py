"""Files that cannot be kept as they are, decoded and encoded once: H.264, upright, a keyframe now and then.

That is where MP4 or browsers do not take the coding, where the picture is to be turned, and where keyframes
or pictures are so rare that nothing could be found or shown in between.
"""

from collections import deque
from collections.abc import Iterator

import av
from av.filter import Graph

from omma_engine.capture.encode import TICKS_PER_SECOND, EncodedPicture, PictureEncoder
from omma_engine.errors import VideoFileError
from omma_engine.types import CodecInfo

STILL_S = 10  # a picture that stays for longer is shown again so often
_TURNS = {90: ("clock",), 180: ("clock", "clock"), 270: ("cclock",)}


class UprightEncoder:
    """Takes decoded pictures with their time in microseconds, in order; gives H.264. One thread."""

    def __init__(self, *, rotation: int, frame_rate: float) -> None:
        if rotation not in {0, *_TURNS}:
            raise VideoFileError(
                f"Expected a picture turned by 0, 90, 180 or 270 degrees, got {rotation}",
                reason="odd_rotation",
            )
        self._turns = _TURNS.get(rotation, ())
        self._frame_rate = min(120, max(1, round(frame_rate or 25)))
        self._graph: Graph | None = None
        self._encoder: PictureEncoder | None = None
        self._last: tuple[av.VideoFrame, int] | None = None
        self.codec: CodecInfo | None = None

    def encode(self, frame: av.VideoFrame, at_us: int) -> Iterator[EncodedPicture]:
        """Yield the picture, after those that a long still before it is shown by."""
        if self._last is not None:
            still, still_us = self._last
            for again_us in range(still_us + STILL_S * 1_000_000, at_us, STILL_S * 1_000_000):
                yield from self._encode(still, again_us)
        upright = self._turned(frame)
        self._last = upright, at_us
        yield from self._encode(upright, at_us)

    def _encode(self, frame: av.VideoFrame, at_us: int) -> Iterator[EncodedPicture]:
        if self._encoder is None:
            self._encoder = PictureEncoder(
                width=frame.width, height=frame.height, frame_rate=self._frame_rate
            )
        for picture in self._encoder.encode(frame, at_us):
            if self.codec is None:
                self.codec = self._encoder.codec_info(picture.data)
            yield picture

    def _turned(self, frame: av.VideoFrame) -> av.VideoFrame:
        if not self._turns:
            return frame
        graph = self._graph or self._made_graph(frame)
        graph.push(frame)
        turned = graph.pull()
        if not isinstance(turned, av.VideoFrame):
            raise VideoFileError("Its pictures cannot be turned", reason="odd_rotation")
        return turned

    def _made_graph(self, frame: av.VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        nodes = deque([source, *(graph.add("transpose", turn) for turn in self._turns)])
        nodes.append(graph.add("buffersink"))
        before = nodes.popleft()
        for node in nodes:
            before.link_to(node)
            before = node
        graph.configure()
        self._graph = graph
        return graph


def duration_ticks(frame_rate: float) -> int:
    """Return how long a picture lasts in the encoder's ticks."""
    return round(TICKS_PER_SECOND / max(1.0, frame_rate))
