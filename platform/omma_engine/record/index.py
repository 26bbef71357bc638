"""The fragment index of a segment file: built while it is written, or read again from the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from omma_engine.errors import StorageError
from omma_engine.record.boxes import Track, boxes, find, track_run, tracks
from omma_engine.record.label import SegmentLabel, read_label
from omma_engine.types import Fragment

_HEADER = 16
_MAX_HEADER_BOX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """What a segment file holds: everything up to `whole_bytes` is whole fragments."""

    label: SegmentLabel
    init_size: int
    fragments: tuple[Fragment, ...]
    whole_bytes: int
    frame_count: int


@dataclass(frozen=True, slots=True)
class IndexedFragment:
    """One fragment and how many pictures are in it."""

    fragment: Fragment
    frame_count: int


def fragment_of(
    moof_body: bytes | memoryview, *, offset: int, size: int, video: Track
) -> IndexedFragment | None:
    """Return the index entry of a fragment; None where it holds no picture, only sound."""
    run = track_run(moof_body, video)
    if run is None:
        return None
    start_us = run.start_ticks * 1_000_000 // video.timescale
    end_us = (run.start_ticks + run.duration_ticks) * 1_000_000 // video.timescale
    return IndexedFragment(
        Fragment(start_us, end_us - start_us, offset, size, run.is_keyframe), run.sample_count
    )


def video_track(init: bytes | memoryview) -> Track:
    """Return the video track of an init section."""
    for moov in find(init, b"moov"):
        for track in tracks(moov.body):
            if track.is_video:
                return track
    raise StorageError("expected a movie header with a video track")


def read_index(path: Path) -> SegmentIndex:
    """Read a file's index from its boxes; media bytes are skipped, not read.

    Raises `StorageError` for a file that has no whole header and label.
    """
    with path.open("rb") as file:
        return _read(file, path)


def _read(file: BinaryIO, path: Path) -> SegmentIndex:
    label: SegmentLabel | None = None
    video: Track | None = None
    init_size = whole = frames = 0
    fragments: list[Fragment] = []
    pending: tuple[int, bytes] | None = None
    for kind, offset, size, body in _top_boxes(file):
        if kind == b"moov":
            video = video_track(body)
        elif kind == b"uuid":
            label = read_label(_body(body)) or label
        elif kind == b"moof":
            pending = (offset, body)
            init_size = init_size or offset
        elif kind == b"mdat" and pending and video:
            start, moof = pending
            whole = offset + size
            entry = fragment_of(_body(moof), offset=start, size=whole - start, video=video)
            if entry:
                fragments.append(entry.fragment)
                frames += entry.frame_count
            pending = None
    if label is None or video is None:
        raise StorageError(f"expected a segment with a header and a label, got {path.name}")
    return SegmentIndex(label, init_size, tuple(fragments), whole, frames)


def _body(box: bytes) -> bytes:
    return bytes(next(iter(boxes(box))).body)


def _top_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Yield kind, offset, size and, except for media data, the bytes of each whole box."""
    file.seek(0, 2)
    end, offset = file.tell(), 0
    while offset + 8 <= end:
        file.seek(offset)
        header = file.read(_HEADER)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size < 8 or offset + size > end:
            return
        body = b""
        if kind != b"mdat" and size <= _MAX_HEADER_BOX:
            file.seek(offset)
            body = file.read(size)
        yield kind, offset, size, body
        offset += size
