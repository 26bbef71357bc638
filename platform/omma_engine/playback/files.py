"""Segment files as playback opens them: contained in their volume, and only up to the durable bytes."""

import io
import os
import struct
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from omma_engine.errors import FootageMissingError
from omma_engine.playback.slices import Piece
from omma_engine.types import Fragment

_LARGE_BOX_BYTES = 1 << 32


def open_beneath(root: Path, relative: str) -> int:
    """Open a file below `root` for reading and return its descriptor, which the caller closes.

    Every step is opened relative to the one before and follows no link, so that no name leads out of `root`.

    Raises:
        FootageMissingError: there is no such regular file below `root`.
    """
    steps = PurePosixPath(relative).parts
    if (
        not steps
        or relative.startswith("/")
        or "\0" in relative
        or any(step in {"..", "."} for step in steps)
    ):
        message = f"expected a path inside the volume, got {relative!r}"
        raise FootageMissingError(message)
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in steps[:-1]:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                folder, before = os.open(step, flags, dir_fd=folder), folder
                os.close(before)
            return os.open(steps[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as exc:
        message = f"expected {relative} on its volume, got {exc.strerror}"
        raise FootageMissingError(message) from exc


class PieceFile(io.RawIOBase):
    """A piece as a seekable MP4: its segment's head, a `free` box over what is left out, and its fragments.

    Every byte keeps its place in the file, so that offsets written in the boxes stay true. Owns its
    descriptor; an unlinked file stays readable until it is closed. One thread at a time.
    """

    def __init__(self, descriptor: int, *, init_size: int, fragments: Sequence[Fragment]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._init_size = init_size
        self._first = fragments[0].offset
        self._end = fragments[-1].offset + fragments[-1].size
        self._filler = _free_box(self._first - init_size)
        self._position = 0

    @classmethod
    def open_piece(cls, piece: Piece) -> Self:
        source = piece.source
        descriptor = source.opener() if source.opener else open_beneath(source.root, source.path)
        if os.fstat(descriptor).st_size < piece.fragments[-1].offset + piece.fragments[-1].size:
            os.close(descriptor)
            message = f"expected {piece.source.path} to hold its durable bytes, got a shorter file"
            raise FootageMissingError(message)
        return cls(descriptor, init_size=piece.source.init_size, fragments=piece.fragments)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        wanted = self._end - self._position if size < 0 else min(size, self._end - self._position)
        parts = []
        while wanted > 0:
            part = self._read_span(wanted)
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_span(self, wanted: int) -> bytes:
        at = self._position
        if self._init_size <= at < self._first:
            return self._filler_bytes(at - self._init_size, min(wanted, self._first - at))
        end = self._init_size if at < self._init_size else self._end
        return os.pread(self._descriptor, min(wanted, end - at), at)

    def _filler_bytes(self, start: int, count: int) -> bytes:
        head = self._filler[start : start + count]
        return head + bytes(count - len(head))


def _free_box(size: int) -> bytes:
    """Return the header of a `free` box (ISO/IEC 14496-12, 8.1.2) that spans `size` bytes."""
    if size < _LARGE_BOX_BYTES:
        return struct.pack(">I4s", size, b"free")[:size]
    return struct.pack(">I4sQ", 1, b"free", size)
