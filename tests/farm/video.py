"""Encoded video of virtual cameras: made as it is needed, or made once and repeated."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

import av
from av.video.frame import PictureType

from omma_engine.sources.pixel_code import PixelCode
from tests.farm.nal import AccessUnit, unit_of
from tests.farm.picture import Painter, painter_for
from tests.farm.spec import CameraSpec

LOOP_STREAM_ID = 0xFFFF  # the pixel code of a loop, which many cameras may share


class Video(Protocol):
    """Gives one access unit per call, in decoding order."""

    def next_unit(self, code: PixelCode) -> AccessUnit:
        """Return the unit to send now; `order` counts pictures since the video began."""
        ...

    def force_keyframe(self) -> None:
        """Let the next unit be a keyframe where that can be chosen."""
        ...


class LiveVideo:
    """Draws and encodes each picture when it is asked for."""

    def __init__(self, spec: CameraSpec, seed: int) -> None:
        self._spec = spec
        self._painter = painter_for(spec, seed)
        self._encoder = _Encoder(spec, is_live=True)
        self._wants_keyframe = False

    def next_unit(self, code: PixelCode) -> AccessUnit:
        forced, self._wants_keyframe = self._wants_keyframe, False
        (unit,) = self._encoder.encode(self._painter, code, is_keyframe=forced)
        return unit

    def force_keyframe(self) -> None:
        self._wants_keyframe = True


class LoopVideo:
    """Repeats units that were encoded once."""

    def __init__(self, spec: CameraSpec) -> None:
        self._units = _loop_of(spec)
        self._position = 0

    def next_unit(self, code: PixelCode) -> AccessUnit:
        rounds, index = divmod(self._position, len(self._units))
        self._position += 1
        unit = self._units[index]
        first = rounds * len(self._units)
        return AccessUnit(unit.parameter_sets, unit.slices, unit.is_keyframe, first + unit.order)

    def force_keyframe(self) -> None:
        """Do nothing: the GOPs of a loop are what they are."""


def video_for(spec: CameraSpec, seed: int) -> Video:
    return LiveVideo(spec, seed) if spec.mode == "live" else LoopVideo(spec)


class _Encoder:
    def __init__(self, spec: CameraSpec, *, is_live: bool) -> None:
        self._codec = spec.codec
        context = av.CodecContext.create("libx264" if spec.codec == "h264" else "libx265", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = spec.width, spec.height, "yuv420p"
        context.time_base = Fraction(1, spec.fps)
        context.framerate = Fraction(spec.fps)
        context.bit_rate = spec.bitrate
        context.gop_size = spec.gop_frames
        context.thread_count = 1
        context.options = _options_of(spec, is_live=is_live)
        self._context = context
        self._count = 0

    def encode(self, painter: Painter, code: PixelCode, *, is_keyframe: bool) -> Iterator[AccessUnit]:
        frame = av.VideoFrame.from_ndarray(painter.paint(code), format="bgr24").reformat(format="yuv420p")
        frame.pts = self._count
        frame.time_base = self._context.time_base
        frame.pict_type = PictureType.I if is_keyframe else PictureType.NONE
        self._count += 1
        return self._units(self._context.encode(frame))

    def finish(self) -> Iterator[AccessUnit]:
        return self._units(self._context.encode(None))

    def _units(self, packets: "list[av.Packet[av.VideoStream]]") -> Iterator[AccessUnit]:
        for packet in packets:
            assert packet.pts is not None
            yield unit_of(bytes(packet), self._codec, packet.pts)


def _options_of(spec: CameraSpec, *, is_live: bool) -> dict[str, str]:
    options = {"preset": "ultrafast", "forced-idr": "1"}
    b_frames = 0 if is_live else spec.b_frames
    if not b_frames:
        options["tune"] = "zerolatency"
    quiet = f"keyint={spec.gop_frames}:min-keyint=1:scenecut=0:repeat-headers=1:bframes={b_frames}"
    quiet += f":vbv-maxrate={spec.bitrate // 1000}:vbv-bufsize={spec.bitrate // 1000}"
    if spec.codec == "h264":
        return options | {"x264-params": quiet + ":sliced-threads=0"}
    return options | {"x265-params": quiet + ":log-level=none:pools=none:frame-threads=1:open-gop=0"}


def _loop_of(spec: CameraSpec) -> tuple[AccessUnit, ...]:
    """Return the units of a loop, which all cameras share that differ only in what is not in the video."""
    plain = CameraSpec()
    return _encoded_loop(
        replace(
            spec,
            has_audio=plain.has_audio,
            audio_encoding=plain.audio_encoding,
            auth=plain.auth,
            username="",
            password="",
            join=plain.join,
            clock_offset_s=0.0,
            first_rtp_time=0,
            has_rtp_info=plain.has_rtp_info,
            sender_reports=plain.sender_reports,
            sender_report_interval_s=plain.sender_report_interval_s,
        )
    )


@lru_cache(maxsize=8)
def _encoded_loop(spec: CameraSpec) -> tuple[AccessUnit, ...]:
    gops = max(1, round(spec.loop_s / spec.gop_s))
    painter, encoder = painter_for(spec, seed=0), _Encoder(spec, is_live=False)
    units: list[AccessUnit] = []
    for index in range(gops * spec.gop_frames):
        units += encoder.encode(painter, PixelCode(LOOP_STREAM_ID, index, 0), is_keyframe=False)
    return (*units, *encoder.finish())
