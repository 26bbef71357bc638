"""From packets to pictures, decoding no more than asked."""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from omma_engine.detect.base import Picture
from omma_engine.types import CodecInfo, EncodedPacket

logger = logging.getLogger(__name__)

MAX_PICTURE_WIDTH = 960
_REMEMBERED_TIMES = 256  # more than any codec reorders


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded picture, still in the decoder's format, and when it was taken (UTC microseconds)."""

    capture_us: int
    frame: VideoFrame


class PacketDecoder:
    """Decodes one stream: keyframes alone, or everything. Used by one thread.

    Packets that cannot be decoded are counted in `errors`, and what follows is skipped up to a keyframe.
    """

    def __init__(self) -> None:
        self.errors = 0
        self._info: CodecInfo | None = None
        self._context: VideoCodecContext | None = None
        self._keyframe: EncodedPacket | None = None
        self._is_primed = False  # the decoder has the current GOP from its keyframe on
        self._times: OrderedDict[int, int] = OrderedDict()

    def set_codec(self, info: CodecInfo) -> None:
        """Take a new codec; pictures before the next keyframe are skipped."""
        self._info = info
        self._context = None
        self._keyframe = None
        self._is_primed = False
        self._times.clear()

    def decode_alone(self, keyframe: EncodedPacket) -> Iterator[DecodedFrame]:
        """Yield the picture of a keyframe, without waiting for what follows."""
        self._keyframe = keyframe
        self._is_primed = False
        yield from self._decode(keyframe)
        yield from self._drain()

    def decode(self, packet: EncodedPacket) -> Iterator[DecodedFrame]:
        """Yield the pictures that this packet completes; all packets from a keyframe on must be given."""
        if packet.is_keyframe:
            self._keyframe = packet
            self._is_primed = True
        elif not self._is_primed:
            if self._keyframe is None:
                return
            self._is_primed = True
            self._prime(self._keyframe)
        if self._is_primed:
            yield from self._decode(packet)

    def _prime(self, keyframe: EncodedPacket) -> None:
        """Decode once more a keyframe whose picture was handed out: its successors need it."""
        for _ in self._decode(keyframe):
            pass
        self._times.pop(keyframe.pts, None)  # if it is held back, it is not handed out later either

    def _decode(self, packet: EncodedPacket) -> Iterator[DecodedFrame]:
        context = self._open()
        if context is None:
            return
        self._remember(packet)
        raw = av.Packet(packet.data)
        raw.pts, raw.dts = packet.pts, packet.dts
        try:
            frames = context.decode(raw)
        except av.error.FFmpegError as exc:
            self._give_up_gop(exc)
            return
        yield from self._timed(frames)

    def _drain(self) -> Iterator[DecodedFrame]:
        """Yield what the decoder holds back for reordering, and make it ready for another keyframe."""
        if self._context is None:
            return
        try:
            frames = self._context.decode(None)
            self._context.flush_buffers()
        except av.error.FFmpegError as exc:
            self._give_up_gop(exc)
            return
        yield from self._timed(frames)

    def _timed(self, frames: list[VideoFrame]) -> Iterator[DecodedFrame]:
        for frame in frames:
            capture_us = self._times.get(frame.pts) if frame.pts is not None else None
            if capture_us is not None and not frame.is_corrupt:
                yield DecodedFrame(capture_us, frame)

    def _remember(self, packet: EncodedPacket) -> None:
        self._times[packet.pts] = packet.capture_us
        while len(self._times) > _REMEMBERED_TIMES:
            self._times.popitem(last=False)

    def _give_up_gop(self, exc: av.error.FFmpegError) -> None:
        logger.debug("a packet cannot be decoded: %s", exc)
        self.errors += 1
        self._context = None
        self._keyframe = None
        self._is_primed = False

    def _open(self) -> VideoCodecContext | None:
        if self._context is None and self._info is not None:
            try:
                context = av.CodecContext.create(self._info.codec, "r")
            except (av.error.FFmpegError, ValueError) as exc:
                logger.warning("no decoder for codec %s: %s", self._info.codec, exc)
                self._info = None
                return None
            if not isinstance(context, VideoCodecContext):
                self._info = None
                return None
            context.extradata = self._info.extradata or None
            context.thread_count = 1
            context.thread_type = ThreadType.NONE
            self._context = context
        return self._context


class Converter:
    """Turns decoded frames into arrays. Keeps its scaling tables, so one belongs to one stream."""

    def __init__(self) -> None:
        self._colour = VideoReformatter()
        self._grey = VideoReformatter()

    def to_bgr(self, frame: VideoFrame) -> Picture:
        """Return a new `(H, W, 3)` BGR array in the frame's proportions, at most `MAX_PICTURE_WIDTH` wide."""
        width = min(frame.width, MAX_PICTURE_WIDTH)
        height = max(2, round(frame.height * width / frame.width))
        scaled = self._colour.reformat(frame, width, height, "bgr24", threads=1)
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)

    def to_grey(self, frame: VideoFrame, *, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Return a new `(height, width)` uint8 array of the frame's brightness."""
        scaled = self._grey.reformat(frame, width, height, "gray", interpolation="AREA", threads=1)
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
