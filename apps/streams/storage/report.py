"""What a storage check found: counts, bytes and the first examples of each kind."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How index and disk differ, and what `--fix` does about it."""

    MISSING = "missing"  # a row without a file: forgotten, its time becomes a gap
    SHORTER = "shorter"  # the file lost its end: the row is cut, the rest becomes a gap
    CHANGED = "changed"  # the bytes are not those that were hashed: the row is marked damaged
    ORPHAN = "orphan"  # a segment without a row: indexed again
    MOVED = "moved"  # a segment that lies elsewhere than its row says: the row follows it
    DUPLICATE = "duplicate"  # a second file of a segment that has its own: stays, or quarantine
    SUPERSEDED = "superseded"  # newer footage covers all of it: stays, or quarantine
    UNREADABLE = "unreadable"  # no whole segment: stays, or quarantine
    NO_STREAM = "no_stream"  # a segment of a stream that is not in the database: only reported


QUARANTINABLE = (Kind.UNREADABLE, Kind.DUPLICATE, Kind.SUPERSEDED)


@dataclass(slots=True)
class Tally:
    """One kind of difference on one volume."""

    count: int = 0
    size_bytes: int = 0
    fixed: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class VolumeReport:
    """One volume. `refusal` says why it was not checked, or why nothing was fixed."""

    name: str
    max_examples: int = 10
    rows: int = 0
    row_bytes: int = 0
    files: int = 0
    file_bytes: int = 0
    young_files: int = 0
    quarantined_files: int = 0
    refusal: str = ""
    was_checked: bool = True
    tallies: dict[Kind, Tally] = field(default_factory=dict)

    def add(self, kind: Kind, path: str, size_bytes: int, *, is_fixed: bool = False) -> None:
        """Count one difference."""
        tally = self.tallies.setdefault(kind, Tally())
        tally.count += 1
        tally.size_bytes += size_bytes
        tally.fixed += is_fixed
        if len(tally.examples) < self.max_examples:
            tally.examples.append(path)

    def count(self, kind: Kind) -> int:
        return self.tallies[kind].count if kind in self.tallies else 0

    @property
    def differs(self) -> bool:
        """Whether something differs (still)."""
        return bool(self.refusal) or any(one.count > one.fixed for one in self.tallies.values())

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "volume": self.name,
            "was_checked": self.was_checked,
            "refusal": self.refusal,
            "rows": self.rows,
            "row_bytes": self.row_bytes,
            "files": self.files,
            "file_bytes": self.file_bytes,
            "young_files": self.young_files,
            "quarantined_files": self.quarantined_files,
            "differs": self.differs,
            "differences": {
                kind.value: {
                    "count": one.count,
                    "bytes": one.size_bytes,
                    "fixed": one.fixed,
                    "examples": one.examples,
                }
                for kind, one in sorted(self.tallies.items())
            },
        }
