"""The newest picture of a stream, decoded from its packets and drawn on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from omma_engine.errors import SourceUnsupportedError
from omma_engine.types import CodecInfo, EncodedPacket

_JPEG_QUALITY = 80
_COLOURS_BGR = {"person": (58, 169, 242), "face": (58, 169, 242), "motion": (184, 167, 143)}
_OTHER_BGR = (194, 209, 127)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box to draw: `x1 y1 x2 y2` in parts of the picture, 0 to 1, and what is written at it."""

    box_xyxy_norm: tuple[float, float, float, float]
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A decoded frame, which may be shared between threads as nobody writes to it, and its capture time."""

    frame: av.VideoFrame
    capture_us: int


class PictureDecoder:
    """Decodes one stream; used by one thread at a time, off the event loop."""

    def __init__(self) -> None:
        self._context: av.VideoCodecContext | None = None
        self._is_started = False
        self._keyframe: EncodedPacket | None = None  # the newest one that was flushed out

    def set_codec(self, info: CodecInfo) -> None:
        """Take a codec; raise `SourceUnsupportedError` for one that FFmpeg does not decode."""
        try:
            context = av.CodecContext.create(info.codec, "r")
        except (av.FFmpegError, ValueError) as error:
            raise SourceUnsupportedError(f"{info.codec} cannot be decoded") from error
        if not isinstance(context, av.VideoCodecContext):
            raise SourceUnsupportedError(f"{info.codec} is no video")
        if info.extradata:
            context.extradata = info.extradata
        context.thread_count = 1  # frame threads would hold pictures back
        self._context, self._is_started, self._keyframe = context, False, None

    def decode(self, packets: Iterable[EncodedPacket], *, only_keyframes: bool) -> LivePicture | None:
        """Return the newest picture that comes out of these packets; damaged ones are passed over.

        With `only_keyframes` each keyframe is flushed out at once, whatever reordering the stream allows.
        """
        newest: LivePicture | None = None
        for packet in packets:
            if self._context is None or not (packet.is_keyframe or self._can_go_on(self._context)):
                continue
            for frame in self._decode(self._context, packet, is_flushed=only_keyframes):
                newest = LivePicture(frame, packet.capture_us if frame.pts is None else frame.pts)
        return newest

    def _can_go_on(self, context: av.VideoCodecContext) -> bool:
        """After keyframes alone, the one that the next packets build on goes into the decoder once more."""
        if not self._is_started and self._keyframe is not None:
            self._decode(context, self._keyframe, is_flushed=False)
        return self._is_started

    def _decode(
        self, context: av.VideoCodecContext, packet: EncodedPacket, *, is_flushed: bool
    ) -> list[av.VideoFrame]:
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = packet.capture_us  # comes out again with the picture it belongs to
        self._is_started = not is_flushed
        self._keyframe = packet if is_flushed else None
        try:
            frames = context.decode(coded)
            if is_flushed:
                frames += context.decode(None)
        except av.FFmpegError:
            frames, self._is_started, self._keyframe = [], False, None
        if is_flushed:
            context.flush_buffers()
        return frames


def encode_picture(
    picture: LivePicture, *, max_width: int | None = None, boxes: Sequence[DrawnBox] = ()
) -> bytes:
    """Return a JPEG, no wider than `max_width`, with the boxes drawn on it."""
    frame = picture.frame
    width, height = frame.width, frame.height
    if max_width is not None and width > max_width:
        width, height = max_width, max(1, round(frame.height * max_width / frame.width))
    # One thread: by itself, each picture would start some of its own, and hold them for as long as it lives.
    pixels = VideoReformatter().reformat(frame, width, height, "bgr24", threads=1).to_ndarray()
    for box in boxes:
        _draw(pixels, box)
    is_done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not is_done:
        raise SourceUnsupportedError(f"a picture of {width}x{height} cannot be written as JPEG")
    return encoded.tobytes()


def _draw(pixels: NDArray[Any], box: DrawnBox) -> None:
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = (
        int(np.clip(value, 0.0, 1.0) * (size - 1))
        for value, size in zip(box.box_xyxy_norm, (width, height, width, height), strict=True)
    )
    colour = _COLOURS_BGR.get(box.label, _OTHER_BGR)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, 1 if box.label == "motion" else 2)
    if not box.text:
        return
    scale = max(0.35, min(0.6, width / 1600))
    (text_width, text_height), base = cv2.getTextSize(box.text, _FONT, scale, 1)
    top = max(0, y1 - text_height - base - 4)
    bottom = top + text_height + base + 4
    cv2.rectangle(pixels, (x1, top), (min(width - 1, x1 + text_width + 6), bottom), colour, cv2.FILLED)
    cv2.putText(pixels, box.text, (x1 + 3, bottom - base - 1), _FONT, scale, (0, 18, 26), 1, cv2.LINE_AA)
