"""The values that cross the engine's seams: what a source is, what a stream is, what a packet carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import UUID


class SourceKind(StrEnum):
    """How a source is opened."""

    RTSP = "rtsp"
    HLS = "hls"
    MJPEG = "mjpeg"
    FILE = "file"
    V4L2 = "v4l2"
    SYNTHETIC = "synthetic"

    @property
    def is_raw(self) -> bool:
        """Whether frames arrive as pictures and are encoded here (in an exec'd child, never a forked one)."""
        return self in {SourceKind.MJPEG, SourceKind.V4L2, SourceKind.SYNTHETIC}


class RecordMode(StrEnum):
    """What is kept of a stream."""

    OFF = "off"
    CONTINUOUS = "continuous"
    EVENTS = "events"


class ClockSource(StrEnum):
    """Where a frame's time comes from."""

    SYNC = "sync"
    RTCP = "rtcp"
    ARRIVAL = "arrival"
    FILE = "file"


class GapCause(StrEnum):
    """Why a stretch of a stream is not on disk."""

    CAMERA = "camera"
    NETWORK = "network"
    DECODER = "decoder"
    DISK = "disk"
    OVERLOAD = "overload"
    WORKER = "worker"
    PLANNED = "planned"
    POLICY = "policy"
    EXPIRED = "expired"


class SourceState(StrEnum):
    """What a source is doing now, as its child says."""

    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume that may be written to. Without an id, whichever volume is found at `root` is taken."""

    root: Path
    volume_id: str = ""


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream that a source writes.

    It goes to the volume at `volume_root`, or to the first of `other_volumes` that takes it while that one
    does not.
    """

    stream_id: UUID
    name: str
    mode: RecordMode
    volume_root: Path
    segment_s: int = 60
    fragment_s: float = 1.0
    volume_id: str = ""
    other_volumes: tuple[VolumeSpec, ...] = ()

    @property
    def volumes(self) -> tuple[VolumeSpec, ...]:
        """Return all volumes, the wanted one first."""
        return (VolumeSpec(self.volume_root, self.volume_id), *self.other_volumes)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Everything a capture child needs to know; `url` may hold credentials and is never logged.

    `numeric_host` is the address that the egress guard checked and that must be opened (RTSP), empty for
    local devices and files. `options` are the driver's typed options, JSON values only.
    """

    source_id: UUID
    account_id: UUID
    camera_id: UUID
    kind: SourceKind
    url: str
    streams: tuple[StreamSpec, ...]
    numeric_host: str = ""
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodecInfo:
    """What a decoder or muxer must know before the first packet; `extradata` is Annex B or avcC/hvcC."""

    codec: str
    width: int
    height: int
    time_base: tuple[int, int]
    extradata: bytes
    frame_rate: tuple[int, int] = (0, 1)


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One encoded picture on its way to disk and bus.

    `pts` and `dts` are in `CodecInfo.time_base`; `capture_us` is the capture time of the picture in UTC
    microseconds, from `clock`, right to within `error_us`. `is_corrupt`: a part of it got lost on its way.
    `starts`, where they are known, are the places of all start codes (00 00 00 01) that Annex B data holds.
    """

    data: bytes
    pts: int
    dts: int
    duration: int
    is_keyframe: bool
    capture_us: int
    clock: ClockSource
    error_us: int
    is_corrupt: bool = False
    starts: tuple[int, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PacketSizes:
    """Sizes of packets between keyframes, as `(capture_us, bytes)`: motion that costs no decoding."""

    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof + mdat in a segment file, as indexed: times in microseconds after the segment's start."""

    start_us: int
    duration_us: int
    offset: int
    size: int
    is_keyframe: bool
