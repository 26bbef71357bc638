"""What a model host and its supervisor say to each other: one JSON object a line, over a stream socket.

Down (supervisor → host)
    {"do": "add", "analytic": {...}, "epoch": N}       begin with an analytic (`omma_engine.inference.spec`)
    {"do": "rules", "analytic_id": ..., "rules": [..]} its rules from now on; what they matched alone ends
    {"do": "remove", "analytic_id": ...}               close its tracks and matches, say so, and forget it
    {"do": "beat"}                                     the supervisor lives; none for 5 s: finish and exit
    {"do": "stop", "reason": ...}                      close everything, say so, and exit 0

Up (host → supervisor)
    {"say": "beat", "streams": N, "analytics": N}      from the loop that analyses, each 0.5 s
    {"say": "news", "analytic_id": ..., "epoch": N, "sequence": N, "payload": {...}}
    {"say": "bye", "reason": ...}                      last line before a planned exit

News are not journalled: what a killed host had not said is lost with it, as detections are. Applying the same
news again changes nothing. UUIDs are strings, times are integers in UTC microseconds, boxes are `x1 y1 x2 y2`
in parts of the picture, files are relative to the data folder.
"""

from enum import StrEnum
from typing import Any, TypedDict


class HostNewsKind(StrEnum):
    """Kinds of a host's news."""

    TRACK_OPEN = "track_open"
    TRACK_UPDATE = "track_update"
    TRACK_CLOSE = "track_close"
    MATCH = "match"
    MINUTE = "minute"
    RESULT = "result"
    STATUS = "status"


class TrackNews(TypedDict):
    """A track as it stands now; each one replaces the one before."""

    kind: str
    track_id: str
    number: int
    label: str
    confidence: float
    start_us: int
    end_us: int
    best_us: int
    best_box: list[float]
    crop: str
    path: list[list[float]]
    hits: int
    zones: list[str]
    size_min: float
    size_max: float
    top_speed_kmh: float | None


class MatchNews(TypedDict):
    """A rule began to match a track, still does, or has ceased to (`phase` start, update, end).

    A rule that counts matches no track: `track_id` is empty then, and `track_number` -1.
    """

    kind: str
    phase: str
    event_id: str
    rule_id: str
    track_id: str
    track_number: int
    label: str
    confidence: float
    at_us: int
    until_us: int
    box: list[float]
    snapshot: str


class MinuteNews(TypedDict):
    """One minute as this analytic saw it: the strongest motion, and how many tracks of each label."""

    kind: str
    minute_us: int
    motion: float
    labels: dict[str, int]


class ResultNews(TypedDict):
    """What a counting analytic saw (`phase` start, period, end); `is_told`: somebody asked for this moment.

    `image` is empty, and `coordinates` absent from what is told, where the counting does not ask for them.
    """

    kind: str
    phase: str
    event_id: str
    start_us: int
    at_us: int
    count: int
    highest: int
    counts: dict[str, int]
    regions: list[dict[str, Any]]
    width: int
    height: int
    coordinates: list[list[float]]
    image: str
    is_told: bool


class StatusNews(TypedDict):
    """How the analytic runs; `dropped` counts pictures passed over for lack of time since it began.

    On its way up it also has `version`, the model version that this is about.
    """

    kind: str
    status: str
    detail: str
    analysed_fps: float
    dropped: int
    at_us: int
