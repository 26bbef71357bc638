"""What lies on a volume: every file below its segments, in one order, however many there are."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from omma_engine.errors import StorageError
from omma_engine.record.recover import sync_folder

SEGMENTS_FOLDER = "segments"
QUARANTINE_FOLDER = "quarantine"


@dataclass(frozen=True, slots=True)
class FileFact:
    """A regular file: `path` is relative to the volume's root, `modified_us` is UTC."""

    path: str
    size_bytes: int
    modified_us: int


def path_key(path: str) -> bytes:
    """Return what paths are ordered by: their bytes, as a database orders them under the collation `C`."""
    return os.fsencode(path)


def files_below(root: Path, folder: str) -> Iterator[FileFact]:
    """Yield the regular files below `root/folder` in the order of `path_key`; links are not followed.

    Memory is bounded by the largest single folder. A folder that is not there holds nothing.
    """
    try:
        with os.scandir(root / folder) as entries:
            found = sorted(entries, key=_order)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error.strerror}") from error
    for entry in found:
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(root, path)
        elif entry.is_file(follow_symlinks=False):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted since
            yield FileFact(path, status.st_size, status.st_mtime_ns // 1000)


def move_to_quarantine(root: Path, relative: str) -> str:
    """Move a file from the volume's segments to its quarantine, and return its new path there.

    Durable when it returns; nothing is overwritten, and a file of the same name there raises `StorageError`.
    """
    target = PurePosixPath(QUARANTINE_FOLDER) / relative
    try:
        (root / target).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        (root / target).hardlink_to(root / relative)
        sync_folder((root / target).parent)
        (root / relative).unlink()
        sync_folder((root / relative).parent)
    except OSError as error:
        raise StorageError(f"cannot move {relative} to the quarantine: {error.strerror}") from error
    return str(target)


def _order(entry: os.DirEntry[str]) -> bytes:
    """Order a folder by its name as it stands in paths, with the slash that follows it."""
    suffix = b"/" if entry.is_dir(follow_symlinks=False) else b""
    return os.fsencode(entry.name) + suffix
