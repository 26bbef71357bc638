"""A volume that is a folder."""

import errno
import os
import shutil
from pathlib import Path
from uuid import uuid4

from apps.streams.stores.base import Room
from apps.streams.volumes import Identity, identity_in, write_identity
from omma_engine.playback.files import open_beneath
from omma_engine.record.recover import file_sha256, sync_folder

_NOTHING = {"lost+found"}  # what a fresh file system has in it
_CHUNK_BYTES = 1 << 20
_TRIAL_BYTES = 1 << 20


class FolderStore:
    """Files below `root`, on a disk of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def identity(self) -> Identity | None:
        return identity_in(self._root)

    def write_identity(self, identity: Identity) -> None:
        write_identity(self._root, identity)

    def is_empty(self) -> bool:
        return all(one.name in _NOTHING for one in self._root.iterdir())

    def room(self) -> Room:
        found = os.statvfs(self._root)
        has_files = found.f_files > 0  # some file systems make them as they need them
        return Room(
            free_bytes=found.f_bavail * found.f_frsize,
            total_bytes=found.f_blocks * found.f_frsize,
            free_files=found.f_favail if has_files else None,
            is_read_only=bool(found.f_flag & os.ST_RDONLY) or not os.access(self._root, os.W_OK),
        )

    def try_writing(self) -> None:
        """Write a little, durably, and read it back from the disk; raises `OSError` where that fails."""
        trial = self._root / f".trial-{uuid4().hex[:8]}"
        written = os.urandom(_TRIAL_BYTES)
        try:
            with trial.open("xb") as file:
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            _drop_cached(trial)
            if trial.read_bytes() != written:
                raise OSError(errno.EIO, "it reads other bytes than were written")
        finally:
            trial.unlink(missing_ok=True)

    def size_of(self, path: str) -> int | None:
        file = self._root / path
        try:
            return file.lstat().st_size if file.is_file() and not file.is_symlink() else None
        except OSError:
            return None

    def sha256_of(self, path: str, size: int) -> str:
        _drop_cached(self._root / path)
        return file_sha256(self._root / path, size)

    def take(self, file: Path, path: str, size: int) -> None:
        target = self._root / path
        _make_folder(self._root, target.parent)
        waiting = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        try:
            with file.open("rb") as source, waiting.open("xb") as copy:
                left = size
                while left > 0 and (chunk := source.read(min(_CHUNK_BYTES, left))):
                    copy.write(chunk)
                    left -= len(chunk)
                copy.flush()
                os.fsync(copy.fileno())
            waiting.replace(target)
        finally:
            waiting.unlink(missing_ok=True)
        sync_folder(target.parent)

    def open(self, path: str) -> int:
        return open_beneath(self._root, path)

    def delete(self, path: str) -> None:
        target = self._root / path
        if not target.resolve().is_relative_to(self._root.resolve()):
            raise PermissionError(f"{path} leads out of its volume")
        target.unlink(missing_ok=True)
        if target.parent.is_dir():
            sync_folder(target.parent)

    def delete_folder(self, path: str) -> bool:
        folder = self._root / path
        if not folder.is_dir():
            return False
        shutil.rmtree(folder)
        sync_folder(folder.parent)
        return True


def _make_folder(root: Path, folder: Path) -> None:
    """Make a folder below the root, which must be there: a volume that went away gets none."""
    if folder.is_dir():
        return
    if folder == root:
        raise FileNotFoundError(f"the folder {root} is gone")
    _make_folder(root, folder.parent)
    folder.mkdir(mode=0o750, exist_ok=True)
    sync_folder(folder.parent)


def _drop_cached(path: Path) -> None:
    """Let the next read come from the disk, as far as the system follows the advice."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
