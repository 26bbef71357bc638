"""The label inside every segment file: which stream, epoch and sequence it is, and when it starts.

A `uuid` box after the movie header, holding JSON. With it, a folder of files can be indexed again without the
database that knew them.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

_BOX_ID = UUID("6f6d6d61-7365-676d-656e-740000000001")


@dataclass(frozen=True, slots=True)
class SegmentLabel:
    """Who and when a segment file is."""

    segment_id: str
    stream_id: str
    epoch: int
    sequence: int
    start_us: int
    start_ticks: int
    time_base: tuple[int, int]
    clock: str
    error_us: int
    codec: str
    width: int
    height: int
    has_audio: bool
    is_transient: bool


def label_box(label: SegmentLabel) -> bytes:
    """Return the box that carries a label."""
    text = json.dumps(asdict(label), separators=(",", ":")).encode()
    return struct.pack(">I4s", 24 + len(text), b"uuid") + _BOX_ID.bytes + text


def read_label(uuid_body: bytes | memoryview) -> SegmentLabel | None:
    """Return the label in the body of a `uuid` box; None where the box is somebody else's."""
    body = bytes(uuid_body)
    if body[:16] != _BOX_ID.bytes:
        return None
    values: dict[str, Any] = json.loads(body[16:])
    values["time_base"] = tuple(values["time_base"])
    return SegmentLabel(**values)
