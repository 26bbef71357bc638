"""What a virtual camera is."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tests.farm.nal import VideoCodec


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One virtual camera.

    `mode` "live" encodes in real time: counter and UTC in the pixels are true. `mode` "loop" repeats GOPs
    that were encoded once: the pixels count within the loop, and the SEI of each picture carries the truth.

    `join` says what a new session gets first: the next "keyframe", or "anything".
    `audio_encoding` is what the description calls the sound; it is A-law all the same.
    `clock_offset_s` is how wrong the camera's clock is, as its RTCP sender reports tell it.
    `first_rtp_time` places the RTP clock, for instance just before it wraps.
    """

    mode: Literal["live", "loop"] = "live"
    codec: VideoCodec = "h264"
    width: int = 640
    height: int = 360
    fps: int = 15
    gop_s: float = 1.0
    bitrate: int = 600_000
    b_frames: int = 0
    loop_s: float = 4.0
    scene: Literal["pattern", "yard", "room"] = "pattern"
    has_audio: bool = False
    audio_encoding: str = "PCMA"
    auth: Literal["none", "basic", "digest"] = "none"
    username: str = ""
    password: str = ""
    join: Literal["keyframe", "anything"] = "keyframe"
    sender_reports: bool = True
    sender_report_interval_s: float = 2.0
    clock_offset_s: float = 0.0
    has_rtp_info: bool = True
    first_rtp_time: int = 1_000_000

    @property
    def gop_frames(self) -> int:
        return max(1, round(self.gop_s * self.fps))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
