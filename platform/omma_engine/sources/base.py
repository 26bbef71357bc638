"""What a source is to the rest of the engine, and which driver opens which kind.

A *packet source* delivers encoded pictures as the camera made them; a *raw source* delivers pictures that are
encoded here once. Both block in `open` and `read` for a bounded time only, raise nothing but `SourceError`s,
and are used by one thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from omma_engine.clock import Clock
from omma_engine.errors import SourceUnsupportedError
from omma_engine.types import CodecInfo, SourceKind, SourceSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 4.0


class Media(Enum):
    """What a packet carries."""

    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The sound of a source; `extradata` is what its decoder needs."""

    codec: str
    sample_rate: int
    channels: int
    time_base: tuple[int, int]
    extradata: bytes = b""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What an opened source delivers.

    `burst_us` is the longest pause between two bursts of packets that is normal for the transport.
    `may_pause` says that what comes is held, and nothing lost, while nobody reads for a fifth of a second.
    `knows_arrivals` says that the last packet of each delivery tells when it came, however late it is read.
    """

    video: CodecInfo
    audio: AudioInfo | None = None
    burst_us: int = 3_000_000
    may_pause: bool = False
    knows_arrivals: bool = False


class SourcePacket(NamedTuple):
    """One encoded packet as read: `pts` and `dts` in the time base of its medium.

    H.264 and H.265 are Annex B, and every keyframe carries its parameter sets. `codec` is set on the first
    packet of a changed coding. `reported_us` is the camera's own capture time, where it came with the packet.
    `starts`, where they are known, are the places of all start codes (00 00 00 01) in the data.
    """

    media: Media
    data: bytes
    pts: int
    dts: int
    duration: int
    is_keyframe: bool
    arrival_us: int
    reported_us: int | None = None
    is_corrupt: bool = False
    codec: CodecInfo | None = None
    starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RawPicture:
    """One picture: `array_bgr` is `(H, W, 3)` uint8, owned by the receiver; `capture_us` is UTC."""

    array_bgr: "NDArray[np.uint8]"
    capture_us: int


@dataclass(slots=True)
class Delivery:
    """What one read gave, not yet looked into.

    `unpack` does the work that the reading thread must not spend its time on; it never blocks, is called
    once, in the order of the reads, by one other thread, and works after the source was closed.
    """

    arrival_us: int
    size_bytes: int
    is_keyframe: bool
    unpack: Callable[[], list[SourcePacket]]


class PacketSource(Protocol):
    """A source of encoded packets."""

    def open(self) -> SourceInfo: ...
    def read(self) -> Delivery:
        """Wait for what comes next; raises `SourceEndedError` where the source has come to its end."""
        ...

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        ...


def delivery_of(packet: SourcePacket) -> Delivery:
    """Return a packet that is unpacked already, as a delivery."""
    return Delivery(packet.arrival_us, len(packet.data), packet.is_keyframe, lambda: [packet])


def as_corrupt(unpack: Callable[[], list[SourcePacket]]) -> list[SourcePacket]:
    """Return what was unpacked, marked as damaged on its way."""
    return [packet._replace(is_corrupt=True) for packet in unpack()]


class RawSource(Protocol):
    """A source of pictures. All pictures between `open` and `close` have one size."""

    @property
    def frame_rate(self) -> float:
        """Pictures a second, once it is open; 0 where the source does not say."""
        ...

    def open(self) -> None: ...
    def read(self) -> RawPicture: ...
    def close(self) -> None: ...


_DRIVERS: Mapping[SourceKind, str] = {
    SourceKind.RTSP: "omma_engine.sources.rtsp_camera:RtspCamera",
    SourceKind.HLS: "omma_engine.sources.hls:HlsSource",
    SourceKind.FILE: "omma_engine.sources.file:FileSource",
    SourceKind.MJPEG: "omma_engine.sources.mjpeg:MjpegSource",
    SourceKind.V4L2: "omma_engine.sources.v4l2:V4l2Source",
    SourceKind.SYNTHETIC: "omma_engine.sources.synthetic:SyntheticSource",
}


def driver_path(kind: SourceKind) -> str:
    """Return `module:class` of the driver of a kind, so that only what is opened is imported."""
    return _DRIVERS[kind]


def packet_source(spec: SourceSpec, clock: Clock | None = None) -> PacketSource:
    """Return the unopened driver of a source; a raw one is wrapped, so that it gives packets too.

    `clock` tells when packets arrive, by default the machine's.
    """
    if not spec.kind.is_raw:
        return cast("PacketSource", _driver(spec.kind)(spec, clock=clock))  # the table above is the proof
    pictures = import_module(
        "omma_engine.sources.pictures"
    )  # needs NumPy, which a forked child must not load
    return cast("PacketSource", pictures.EncodedPictures(raw_source(spec, clock), spec))


def raw_source(spec: SourceSpec, clock: Clock | None = None) -> RawSource:
    """Return the unopened driver of a source of pictures."""
    if not spec.kind.is_raw:
        raise SourceUnsupportedError(f"expected a source of pictures, got {spec.kind}")
    return cast("RawSource", _driver(spec.kind)(spec, clock=clock))  # the table above is the proof


def _driver(kind: SourceKind) -> Callable[..., object]:
    module_name, _, class_name = _DRIVERS[kind].partition(":")
    return cast("Callable[..., object]", getattr(import_module(module_name), class_name))
