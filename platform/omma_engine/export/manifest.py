"""The manifest of an export: what is in each file, from which segments, and what is missing and why.

JSON, UTF-8. Times are RFC 3339 in UTC with microseconds; ranges are half-open.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from omma_engine.spans import Span, without

FORMAT = "omma-export-1"
MANIFEST_NAME = "manifest.json"
UNEXPLAINED = "unexplained"
EDGE_US = 250_000  # files end with a picture, gaps with a clock: they miss each other by less

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SourceEntry(TypedDict):
    """A segment that a file was copied from. `recorded_sha256` was taken while recording, where known."""

    segment: str
    start: str
    end: str
    bytes: int
    sha256: str
    recorded_sha256: str
    clock: str
    error_us: int


class FileEntry(TypedDict):
    """One file. `is_intact` is False where a segment is not (known to be) as it was recorded."""

    name: str
    stream: str
    stream_name: str
    camera: str
    camera_name: str
    start: str
    end: str
    clock: str
    error_us: int
    codec: str
    width: int
    height: int
    size: int
    sha256: str
    is_intact: bool
    segments: list[SourceEntry]


class GapEntry(TypedDict):
    """A stretch of the wanted range that no file shows."""

    stream: str
    start: str
    end: str
    cause: str
    detail: str


class Manifest(TypedDict):
    """All of an export."""

    format: str
    export: str
    name: str
    created: str
    created_by: str
    start: str
    end: str
    streams: list[dict[str, str]]
    files: list[FileEntry]
    gaps: list[GapEntry]


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as it is written."""
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def time_text(us: int) -> str:
    """Return a time in microseconds since 1970 as text.

    >>> time_text(1767225600000001)
    '2026-01-01T00:00:00.000001Z'
    """
    return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%dT%H:%M:%S.%f}Z"


def time_us(text: str) -> int:
    """Return the microseconds since 1970 of a time as written; raise `ValueError` for anything else.

    >>> time_us("2026-01-01T00:00:00.000001Z")
    1767225600000001
    """
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(f"expected a time with its offset, got {text}")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def explained_holes(
    wanted: Span, files: Iterable[Span], reasons: Iterable[tuple[Span, str, str]]
) -> list[tuple[Span, str, str]]:
    """Return what of a range no file shows, with cause and detail; the first reason that fits is taken.

    >>> explained_holes((0, 10_000_000), [(0, 4_000_000)], [((4_000_000, 8_000_000), "camera", "")])
    [((4000000, 8000000), 'camera', ''), ((8000000, 10000000), 'unexplained', '')]
    """
    left = without(wanted, files, tolerance=EDGE_US)
    found: list[tuple[Span, str, str]] = []
    for span, cause, detail in reasons:
        rest: list[Span] = []
        for hole in left:
            start, end = max(hole[0], span[0]), min(hole[1], span[1])
            if end > start:
                found.append(((start, end), cause, detail))
                rest += without(hole, [(start, end)])
            else:
                rest.append(hole)
        left = rest
    found += [(hole, UNEXPLAINED, "") for hole in left if hole[1] - hole[0] > EDGE_US]
    return sorted(found)


def coverage_problems(manifest: Mapping[str, Any]) -> list[str]:
    """Say where files and gaps together do not make up the whole range of each stream."""
    wanted = (time_us(manifest["start"]), time_us(manifest["end"]))
    problems = []
    for stream in manifest["streams"]:
        shown = [
            (time_us(one["start"]), time_us(one["end"]))
            for one in [*manifest["files"], *manifest["gaps"]]
            if one["stream"] == stream["stream"]
        ]
        problems += [
            f"stream {stream['stream']}: nothing about {time_text(start)} to {time_text(end)}"
            for start, end in without(wanted, shown, tolerance=EDGE_US)
        ]
    return problems
