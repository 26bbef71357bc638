"""A look at a source: what it delivers, and its first picture.

`python -m omma_engine.sources.probe` reads one JSON object from its input,

    {"kind", "url", "numeric_host", "options", "limit_s"}

and writes one: `{"codec", "width", "height", "frame_rate", "has_audio", "jpeg"}` with the picture in base64,
or `{"error", "code"}`. It ends itself after `limit_s`; whoever starts it sets a hard limit besides.
"""

import base64
import json
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

from omma_engine.errors import SourceError, SourceUnreachableError, SourceUnsupportedError
from omma_engine.sources.base import Media, SourceInfo, SourcePacket, packet_source
from omma_engine.types import SourceKind, SourceSpec

_MOST_WIDTH = 960
_JPEG_QUALITY = 80
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a source delivers; `jpeg` is its first picture, at most 960 px wide."""

    codec: str
    width: int
    height: int
    frame_rate: float
    has_audio: bool
    jpeg: bytes


def probe(
    kind: SourceKind,
    url: str,
    options: Mapping[str, object],
    timeout_s: float,
    *,
    numeric_host: str = "",
) -> ProbeResult:
    """Open a source and return what it delivers. Raises `SourceError`s.

    Needs OpenCV, and blocks in drivers for as long as their own limits allow: call it in a process that can
    be killed.
    """
    deadline_s = time.monotonic() + timeout_s
    spec = SourceSpec(_NOBODY, _NOBODY, _NOBODY, kind, url, (), numeric_host, options)
    source = packet_source(spec)
    try:
        info = source.open()
        decoder = _FirstPicture(info)
        while time.monotonic() < deadline_s:
            for packet in source.read().unpack():
                frame = decoder.take(packet)
                if frame is not None:
                    return _result(info, frame)
        raise SourceUnreachableError(f"no picture came within {timeout_s:g} seconds")
    finally:
        source.close()


class _FirstPicture:
    """Decodes up to the first picture."""

    def __init__(self, info: SourceInfo) -> None:
        self._decoder = cast(
            "VideoCodecContext", av.CodecContext.create(info.video.codec, "r")
        )  # it is video
        self._decoder.thread_count = 1
        self._has_keyframe = False

    def take(self, packet: SourcePacket) -> av.VideoFrame | None:
        if packet.media is not Media.VIDEO:
            return None
        self._has_keyframe = self._has_keyframe or packet.is_keyframe
        if not self._has_keyframe:
            return None
        raw = av.Packet(packet.data)
        raw.pts, raw.dts = packet.pts, packet.dts
        try:
            frames = self._decoder.decode(raw)
        except av.FFmpegError:  # damaged: the next one may be whole
            return None
        return frames[0] if frames else None


def _result(info: SourceInfo, frame: av.VideoFrame) -> ProbeResult:
    numerator, denominator = info.video.frame_rate
    return ProbeResult(
        codec=info.video.codec,
        width=frame.width,
        height=frame.height,
        frame_rate=round(numerator / denominator, 3) if denominator else 0.0,
        has_audio=info.audio is not None,
        jpeg=_jpeg(frame),
    )


def _jpeg(frame: av.VideoFrame) -> bytes:
    if frame.width > _MOST_WIDTH:
        frame = frame.reformat(width=_MOST_WIDTH, height=frame.height * _MOST_WIDTH // frame.width & ~1)
    is_made, encoded = cv2.imencode(
        ".jpg", frame.to_ndarray(format="bgr24"), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not is_made:
        raise SourceUnsupportedError("its picture cannot be shown")
    return np.asarray(encoded).tobytes()


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request, as the program's input and output have them."""
    try:
        found = probe(
            SourceKind(request["kind"]),
            str(request["url"]),
            dict(request.get("options") or {}),
            float(request.get("limit_s", 10)),
            numeric_host=str(request.get("numeric_host", "")),
        )
    except SourceError as error:
        return {"error": str(error), "code": error.code}
    return {
        "codec": found.codec,
        "width": found.width,
        "height": found.height,
        "frame_rate": found.frame_rate,
        "has_audio": found.has_audio,
        "jpeg": base64.b64encode(found.jpeg).decode(),
    }


def main() -> None:
    """Answer the request on the standard input."""
    request = json.load(sys.stdin)
    signal.alarm(max(1, int(request.get("limit_s", 10)) + 2))
    json.dump(answer(request), sys.stdout)


if __name__ == "__main__":
    main()
