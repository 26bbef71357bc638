"""What holds a volume's files: a folder here, or a bucket elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apps.streams.volumes import Identity


@dataclass(frozen=True, slots=True)
class Room:
    """What a store still takes; None where it has no limit of its own."""

    free_bytes: int | None = None
    total_bytes: int | None = None
    free_files: int | None = None
    is_read_only: bool = False


class Store(Protocol):
    """The files of one volume, named by paths relative to it. Errors of disk and network are `OSError`s."""

    def identity(self) -> Identity | None:
        """Return what the identity file says, None where there is none; `OSError` where nothing answers."""

    def write_identity(self, identity: Identity) -> None:
        """Write the identity file, durably."""

    def is_empty(self) -> bool:
        """Tell whether nothing lies there."""

    def room(self) -> Room:
        """Return how much it takes."""

    def try_writing(self) -> None:
        """Write a little and read it back; raises `OSError` where that fails."""

    def size_of(self, path: str) -> int | None:
        """Return how long a file is, None where there is none."""

    def sha256_of(self, path: str, size: int) -> str:
        """Return the hash of a file's first bytes, read back from where they lie."""

    def take(self, file: Path, path: str, size: int) -> None:
        """Copy the first `size` bytes of a local file to `path`: whole and durable when it returns."""

    def open(self, path: str) -> int:
        """Open a file for reading and return its descriptor; raises `FootageMissingError`."""

    def delete(self, path: str) -> None:
        """Delete a file, durably; one that is gone already is no error."""

    def delete_folder(self, path: str) -> bool:
        """Delete a folder with all that is in it; tell whether there was one."""
