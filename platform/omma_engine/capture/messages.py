"""What a child and its supervisor say to each other: one JSON object a line, over a stream socket.

Down (supervisor → child)
    {"do": "start", "spec": {...}, "epoch": N,         the first line that a child reads; there is footage up
     "not_before_us": T}                               to T, and no picture is to get a time before it
    {"do": "ack", "sequence": N}                       the journal up to and including N is in the database
    {"do": "mode", "stream_id": ..., "mode": "events"} record mode changed without a restart
    {"do": "volumes", "stream_id": ..., "volumes": []} where to write from now on, the wanted one first
    {"do": "beat"}                                     the supervisor lives; none for 5 s: finish and exit
    {"do": "beat", "alone": true}                      its leases may be somebody else's by now: a source that
                                                       lets in one client is not opened again if it breaks
    {"do": "stop", "reason": "planned"}                close the segment at its last whole fragment and exit 0

Up (child → supervisor)
    {"say": "beat", ...Beat}                           from the packet loop itself, each 0.5 s
    {"say": "news", "sequence": N, "payload": {...}}   a journal line; payload["kind"] is a `NewsKind`
    {"say": "bye", "reason": ...}                      last line before a planned exit

Everything with "news" is on disk in the journal before it is said, and is said again after a restart until
it is acknowledged. UUIDs are strings, times are integers in UTC microseconds.
"""

from enum import StrEnum
from typing import NotRequired, TypedDict


class NewsKind(StrEnum):
    """Kinds of journal lines of a capture child."""

    SEGMENT_OPEN = "segment_open"
    SEGMENT_PROGRESS = "segment_progress"
    SEGMENT_CLOSE = "segment_close"
    GAP = "gap"
    VOLUME = "volume"
    STATE = "state"


class SegmentOpen(TypedDict):
    """A segment has its first durable fragment (`segment_id` is derived from the start journalled here)."""

    kind: str
    segment_id: str
    stream_id: str
    epoch: int
    sequence: int
    start_us: int
    start_ticks: int
    time_base: list[int]
    rate_ppm: float
    clock: str
    error_us: int
    volume_id: str
    path: str
    codec: str
    width: int
    height: int
    has_audio: bool
    init_size: int
    is_transient: bool


class SegmentProgress(TypedDict):
    """More of a segment is durable; new `fragments` are `[start_us, duration_us, offset, size, key]`."""

    kind: str
    segment_id: str
    durable_bytes: int
    end_us: int
    error_us: int
    clock: str
    fragments: list[list[int]]


class SegmentClose(TypedDict):
    """A segment is whole: hashed and synced, with its folder. `state` is `closed` or `recovered`.

    `is_damaged`: the file is not what was to be written. `damaged_pictures` came with parts missing, and are
    in the file as they came. `camera_offset_us`: how far the camera's clock is from ours, as it said last.
    """

    kind: str
    segment_id: str
    durable_bytes: int
    end_us: int
    sha256: str
    state: str
    is_damaged: bool
    damaged_pictures: NotRequired[int]
    camera_offset_us: NotRequired[int]


class GapNews(TypedDict):
    """Nothing was recorded in `[start_us, end_us)`; an open gap has no `end_us`, a later line closes it."""

    kind: str
    gap_id: str
    stream_id: str
    start_us: int
    end_us: int | None
    cause: str
    detail: str


class VolumeNews(TypedDict):
    """A disk reported an error while it was written to."""

    kind: str
    volume_id: str
    at_us: int
    detail: str


def volume_news(volume_id: str, *, at_us: int, detail: str) -> VolumeNews:
    """Return the news that a volume's disk failed."""
    return VolumeNews(kind=NewsKind.VOLUME, volume_id=volume_id, at_us=at_us, detail=detail)


class StateNews(TypedDict):
    """The source changed its state; `code` and `detail` say why, without secrets.

    `retry_at_us` is when a source that is away is tried again at the latest.
    """

    kind: str
    source_id: str
    state: str
    code: str
    detail: str
    at_us: int
    retry_at_us: NotRequired[int]
    codec: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]
    frame_rate: NotRequired[float]
    has_audio: NotRequired[bool]


class Beat(TypedDict):
    """Figures since the child started."""

    state: str
    packets: int
    bytes: int
    dropped: int
    bitrate_bps: int
    frame_rate: float
    last_packet_us: int
    disk_wait_s: NotRequired[float]  # the packet loop waits for the disk: said by the thread that reads
