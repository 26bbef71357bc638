"""Looking a file through before anything is written: every packet's time and size, and one picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from omma_engine.errors import VideoFileError
from omma_engine.importing.opening import open_video, video_of

LONGEST_S = 24 * 3600
_MOST_TRIED = 300  # packets until the first picture
_TOLERATED_S = 2.0
_TOLERATED_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a file holds. Times are in seconds; `rotation` is how far the picture is to be turned, clockwise.

    `stated_s` is how long it says it is; 0 where it does not say.
    """

    codec: str
    width: int
    height: int
    rotation: int
    frames: int
    damaged_frames: int
    duration_s: float
    stated_s: float
    frame_rate: float
    is_variable: bool
    longest_still_s: float
    longest_group_s: float
    has_audio: bool

    @property
    def is_truncated(self) -> bool:
        """Whether less is there than the file says."""
        missing_s = self.stated_s - self.duration_s
        return missing_s > max(_TOLERATED_S, _TOLERATED_SHARE * self.stated_s)


@dataclass(slots=True)
class _Tally:
    """What the packets told so far, in seconds."""

    frames: int = 0
    damaged: int = 0
    keyframes: int = 0
    total_s: float = 0.0
    last_s: float | None = None
    keyframe_s: float | None = None
    shortest_s: float = float("inf")
    longest_s: float = 0.0
    longest_group_s: float = 0.0

    def take(self, at_s: float, duration_s: float, *, is_keyframe: bool, is_damaged: bool) -> None:
        step_s = 0.0 if self.last_s is None else at_s - self.last_s
        if 0 < step_s <= LONGEST_S:
            self.total_s += step_s
            self.shortest_s, self.longest_s = min(self.shortest_s, step_s), max(self.longest_s, step_s)
        self.last_s = at_s
        self.frames += 1
        self.damaged += is_damaged
        if is_keyframe:
            self.keyframes += 1
            self.keyframe_s = self.total_s
        elif self.keyframe_s is not None:
            self.longest_group_s = max(self.longest_group_s, self.total_s - self.keyframe_s)
        if self.total_s > LONGEST_S:
            raise VideoFileError(f"Expected at most {LONGEST_S // 3600} hours of video", reason="too_long")


def scan(path: Path, report: Callable[[float], None]) -> VideoFacts:
    """Return what a file holds, having read all of it and decoded one picture.

    Raises `VideoFileError` where it holds no picture that can be shown.
    """
    with open_video(path) as container:
        first = _first_picture(container, video_of(container))
    size = max(1, path.stat().st_size)
    tally = _Tally()
    with open_video(path) as container:
        stream = video_of(container)
        base = float(stream.time_base or 1 / 90_000)
        tail_s = 0.0
        try:
            for packet in container.demux(stream):
                ticks = packet.dts if packet.dts is not None else packet.pts
                if not packet.size or ticks is None:
                    continue
                tail_s = (packet.duration or 0) * base
                tally.take(ticks * base, tail_s, is_keyframe=packet.is_keyframe, is_damaged=packet.is_corrupt)
                if tally.frames % 500 == 0:
                    report((packet.pos or 0) / size)
        except av.FFmpegError as error:
            if not tally.frames:
                raise VideoFileError("It cannot be read", reason="not_a_video") from error
        if not tally.frames:
            raise VideoFileError("Its pictures have no times", reason="no_pictures")
        return _facts(container, stream, first, tally, tail_s)


def _first_picture(container: "av.container.InputContainer", stream: "av.VideoStream") -> "av.VideoFrame":
    stream.codec_context.thread_count = 1
    tried = 0
    try:
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    return frame
            except av.FFmpegError:  # a damaged one: the next may be whole
                pass
            tried += 1
            if tried > _MOST_TRIED:
                break
    except av.FFmpegError as error:
        raise VideoFileError("It cannot be read", reason="not_a_video") from error
    raise VideoFileError("There is no picture in it that can be decoded", reason="no_pictures")


def _facts(
    container: "av.container.InputContainer",
    stream: "av.VideoStream",
    first: "av.VideoFrame",
    tally: _Tally,
    tail_s: float,
) -> VideoFacts:
    duration_s = tally.total_s + tail_s
    stated = stream.duration * float(stream.time_base or 0) if stream.duration else 0.0
    steps_known = tally.frames > 1 and tally.longest_s > 0
    return VideoFacts(
        codec=stream.codec_context.codec.canonical_name,
        width=first.width,
        height=first.height,
        rotation=-first.rotation % 360,
        frames=tally.frames,
        damaged_frames=tally.damaged,
        duration_s=round(duration_s, 6),
        stated_s=round(stated or (container.duration or 0) / av.time_base, 6),
        frame_rate=round(tally.frames / duration_s, 3) if duration_s else 0.0,
        is_variable=steps_known and tally.longest_s > 1.5 * tally.shortest_s,
        longest_still_s=round(tally.longest_s, 3),
        longest_group_s=round(tally.longest_group_s, 3) if tally.keyframes else float(LONGEST_S),
        has_audio=bool(container.streams.audio),
    )
