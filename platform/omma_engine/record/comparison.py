"""Index against disk: two ordered streams, walked side by side in constant memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from omma_engine.record.disk import FileFact, path_key


class Difference(StrEnum):
    """How a row and a file can differ."""

    MISSING = "missing"  # a row, and no file
    SHORTER = "shorter"  # the file holds less than the row calls durable
    CHANGED = "changed"  # the bytes are not those that were hashed
    STRAY = "stray"  # a file, and no row


@dataclass(frozen=True, slots=True)
class RowFact:
    """A segment as the index knows it. `sha256` is of the first `durable_bytes`, empty where unknown."""

    segment_id: UUID
    path: str
    durable_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: `row` is None for a stray file, `file` for a missing one."""

    difference: Difference
    row: RowFact | None
    file: FileFact | None

    @property
    def path(self) -> str:
        known = self.row or self.file
        return known.path if known else ""

    @property
    def size_bytes(self) -> int:
        """Return how many bytes are in doubt."""
        if self.row is None:
            return self.file.size_bytes if self.file else 0
        here = self.file.size_bytes if self.file and self.difference is Difference.SHORTER else 0
        return self.row.durable_bytes - here


HashOf = Callable[[str, int], str]


def compare(
    rows: Iterable[RowFact], files: Iterable[FileFact], *, hash_of: HashOf | None = None
) -> Iterator[Finding]:
    """Yield where rows and files differ. Both must come in the order of `path_key`.

    `hash_of(path, size)` returns the SHA-256 of a file's first bytes; without it no file is read.

    Raises:
        ValueError: the rows are not in order.
    """
    remaining = iter(files)
    file, is_claimed = next(remaining, None), False
    before = b""
    for row in rows:
        here = path_key(row.path)
        if here < before:
            raise ValueError(f"expected rows in the order of their paths, got {row.path} too late")
        before = here
        while file is not None and path_key(file.path) < here:
            if not is_claimed:
                yield Finding(Difference.STRAY, None, file)
            file, is_claimed = next(remaining, None), False
        if file is None or file.path != row.path:
            yield Finding(Difference.MISSING, row, None)
            continue
        is_claimed = True
        yield from _differences(row, file, hash_of)
    if file is not None and not is_claimed:
        yield Finding(Difference.STRAY, None, file)
    for file in remaining:
        yield Finding(Difference.STRAY, None, file)


def _differences(row: RowFact, file: FileFact, hash_of: HashOf | None) -> Iterator[Finding]:
    if file.size_bytes < row.durable_bytes:
        yield Finding(Difference.SHORTER, row, file)
    elif hash_of is not None and row.sha256 and hash_of(row.path, row.durable_bytes) != row.sha256:
        yield Finding(Difference.CHANGED, row, file)
