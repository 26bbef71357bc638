"""A raw source as a source of packets: its pictures encoded once, where they are made.

Only for exec'd children: it needs NumPy, and the encoder.
"""

from collections import deque
from dataclasses import replace
from fractions import Fraction

import av

from omma_engine.capture.encode import TICKS_PER_SECOND, PictureEncoder
from omma_engine.errors import SourceStalledError
from omma_engine.sources.base import (
    Delivery,
    Media,
    RawPicture,
    RawSource,
    SourceInfo,
    SourcePacket,
    delivery_of,
)
from omma_engine.types import SourceSpec

_DEFAULT_FRAME_RATE = 25
_STEP_BACK_US = 1_000_000


class EncodedPictures:
    """Reads a raw source and gives its pictures as H.264. Owns the source.

    Options: `fps` (where the source does not know its rate), `bitrate_bps` (a ceiling; 0 is none).
    """

    def __init__(self, raw: RawSource, spec: SourceSpec) -> None:
        self._raw = raw
        rate = spec.options.get("fps", 0)
        bitrate = spec.options.get("bitrate_bps", 0)
        self._wanted_rate = float(rate) if isinstance(rate, (int, float)) else 0.0
        self._frame_rate = _DEFAULT_FRAME_RATE  # for the encoder's rate control
        self._bitrate_bps = bitrate if isinstance(bitrate, int) else 0
        self._encoder: PictureEncoder | None = None
        self._ready: deque[SourcePacket] = deque()
        self._shift_us = 0
        self._last_us = 0

    def open(self) -> SourceInfo:
        self._raw.open()
        picture = self._raw.read()
        height, width = picture.array_bgr.shape[:2]
        rate = self._raw.frame_rate or self._wanted_rate
        self._frame_rate = max(1, round(rate)) if rate else _DEFAULT_FRAME_RATE
        self._encoder = PictureEncoder(
            width=width, height=height, frame_rate=self._frame_rate, max_bitrate_bps=self._bitrate_bps
        )
        self._encode(picture)
        codec = self._encoder.codec_info(self._ready[0].data)
        known = Fraction(rate).limit_denominator(1001)
        return SourceInfo(video=replace(codec, frame_rate=(known.numerator, known.denominator)))

    def read(self) -> Delivery:
        while not self._ready:
            self._encode(self._raw.read())
        return delivery_of(self._ready.popleft())

    def close(self) -> None:
        self._raw.close()

    def _encode(self, picture: RawPicture) -> None:
        if self._encoder is None:
            raise SourceStalledError("the source is closed")
        frame = av.VideoFrame.from_ndarray(picture.array_bgr, format="bgr24")
        for encoded in self._encoder.encode(frame, self._steady_us(picture.capture_us)):
            self._ready.append(
                _TEMPLATE._replace(
                    data=encoded.data,
                    pts=encoded.ticks,
                    dts=encoded.ticks,
                    duration=TICKS_PER_SECOND // self._frame_rate,
                    is_keyframe=encoded.is_keyframe,
                    arrival_us=picture.capture_us,
                )
            )

    def _steady_us(self, capture_us: int) -> int:
        """Return the picture's time on a clock that goes on where the wall clock was set back."""
        if capture_us + self._shift_us < self._last_us - _STEP_BACK_US:
            self._shift_us = self._last_us - capture_us + 1_000_000 // self._frame_rate
        self._last_us = max(self._last_us, capture_us + self._shift_us)
        return capture_us + self._shift_us


_TEMPLATE = SourcePacket(Media.VIDEO, b"", 0, 0, 0, is_keyframe=False, arrival_us=0)
