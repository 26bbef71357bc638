"""Closing what a crash left open: an open segment is made whole from its file alone."""

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from omma_engine.errors import StorageError
from omma_engine.ids import segment_id
from omma_engine.record.index import SegmentIndex, read_index
from omma_engine.record.label import SegmentLabel
from omma_engine.types import Fragment

_CHUNK = 1 << 20
_NO_SEGMENT = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    StopIteration,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class RecoveredSegment:
    """A segment as its file proves it: `end_us` is UTC, `fragments` count from the segment's start."""

    index: SegmentIndex
    durable_bytes: int
    cut_bytes: int
    end_us: int
    sha256: str

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        return self.index.fragments


def recover_segment(path: Path) -> RecoveredSegment:
    """Make a segment file whole: cut it behind its last whole fragment, sync it, and hash what is left.

    Steps, so that a crash between any two of them leaves a file that recovers to the same result:

    1. read the index from the file's own boxes;
    2. truncate behind the last whole fragment;
    3. fsync the file, then its folder;
    4. hash the bytes.

    The file must have no writer. Raises `StorageError` where it holds no picture or cannot be read; the file
    is then left as it is.
    """
    try:
        index, whole = _whole_of(path)
        cut = path.stat().st_size - whole
        _truncate(path, whole)
        return _found(path, index, whole, cut)
    except OSError as error:
        raise StorageError(f"cannot recover {path.name}: {error.strerror}") from error


def inspect_segment(path: Path, *, with_hash: bool = True) -> RecoveredSegment:
    """Return what `recover_segment` would, and change nothing: bytes behind the last whole fragment stay.

    Without the hash, only the heads of boxes are read. Raises `StorageError` where the file is no whole
    segment that says truly what it is, whatever is in it.
    """
    try:
        index, whole = _whole_of(path)
        _require_true_id(path, index.label)
        return _found(path, index, whole, path.stat().st_size - whole, with_hash=with_hash)
    except OSError as error:
        raise StorageError(f"cannot read {path.name}: {error.strerror}") from error
    except _NO_SEGMENT as error:
        raise StorageError(f"expected a segment, got something else in {path.name}") from error


def _require_true_id(path: Path, label: SegmentLabel) -> None:
    derived = segment_id(
        stream_id=UUID(label.stream_id),
        epoch=label.epoch,
        sequence=label.sequence,
        start_us=label.start_us,
    )
    if label.segment_id != str(derived):
        raise StorageError(f"the label of {path.name} contradicts itself")


def _whole_of(path: Path) -> tuple[SegmentIndex, int]:
    """Return a file's index and where its last whole fragment ends."""
    index = read_index(path)
    if not index.fragments:
        raise StorageError(f"expected at least one whole fragment in {path.name}")
    last = index.fragments[-1]
    return index, max(index.whole_bytes, last.offset + last.size)


def _found(
    path: Path, index: SegmentIndex, whole: int, cut: int, *, with_hash: bool = True
) -> RecoveredSegment:
    last = index.fragments[-1]
    return RecoveredSegment(
        index=index,
        durable_bytes=whole,
        cut_bytes=cut,
        end_us=index.label.start_us + last.start_us + last.duration_us,
        sha256=file_sha256(path, whole) if with_hash else "",
    )


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path, size: int | None = None) -> str:
    """Return the SHA-256 of a file, or of its first `size` bytes, in hexadecimal."""
    digest = hashlib.sha256()
    left = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
