"""One segment file, written so that what was said to be durable is durable.

The order of steps, which everything that reads segments relies on:

1. check the volume's identity; make the day's folder (and fsync the folder above a new one);
2. create the file exclusively, under a name that no other epoch or sequence has;
3. write the header, the label, and then whole fragments only, each as soon as it is whole;
4. `fdatasync` after the first fragment, then every two seconds; after the first one fsync the folder;
5. only after that say that so many bytes are durable (`Progress`);
6. at close write the last fragment, `fdatasync`, say the rest and the SHA-256 of all bytes.

After an error of the disk no byte more is said to be durable: a failed sync may have dropped pages that look
written, so the file ends where the last good sync left it.
"""

import errno
import hashlib
import logging
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from omma_engine.errors import DiskFailedError, StorageError
from omma_engine.record.muxer import MuxedFragment
from omma_engine.record.recover import sync_folder
from omma_engine.types import Fragment

logger = logging.getLogger(__name__)

SYNC_INTERVAL_US = 2_000_000
_FAILURES = {errno.EIO, errno.ENXIO, errno.EUCLEAN, errno.EREMOTEIO}


def segment_path(*, stream_id: str, start_us: int, epoch: int, sequence: int) -> Path:
    """Return a segment's path below its volume's root."""
    day = datetime.fromtimestamp(start_us // 1_000_000, UTC).strftime("%Y%m%d")
    return Path("segments") / stream_id / day / f"{start_us}-{epoch}-{sequence}.mp4"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a sync made durable: all up to `durable_bytes`, and these fragments more than the last time."""

    durable_bytes: int
    fragments: tuple[Fragment, ...]


class SegmentFile:
    """One segment's file. After a `StorageError`, only `salvage` and `abandon` may follow. One thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._size = self._durable = 0
        self._unsaid: list[Fragment] = []
        self._synced_at_us = 0
        self._has_lost_pages = False
        try:
            _make_folder(path.parent)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise _storage_error(error) from error

    @property
    def durable_bytes(self) -> int:
        """Return how many bytes have been said to be durable."""
        return self._durable

    def write_header(self, header: bytes) -> None:
        self._write(header)

    def write_fragment(self, fragment: MuxedFragment) -> None:
        """Write a whole fragment; it is said by the next sync."""
        offset = self._size
        self._write(fragment.data)
        if fragment.entry:
            self._unsaid.append(replace(fragment.entry.fragment, offset=offset))

    def is_sync_due(self, monotonic_us: int) -> bool:
        """Return whether there is something to make durable, and whether it has waited long enough."""
        if not self._unsaid:
            return False
        return self._durable == 0 or monotonic_us - self._synced_at_us >= SYNC_INTERVAL_US

    def sync(self, monotonic_us: int) -> Progress:
        """Make all that was written durable and return what is new."""
        is_first = self._durable == 0
        try:
            os.fdatasync(self._fd)
            if is_first:
                sync_folder(self._path.parent)
        except OSError as error:
            self._has_lost_pages = True
            raise _storage_error(error) from error
        self._synced_at_us = monotonic_us
        said, self._unsaid = tuple(self._unsaid), []
        self._durable = self._size
        return Progress(self._durable, said)

    def close(self) -> str:
        """Close the file, which must have been synced, and return the SHA-256 of its bytes."""
        os.close(self._fd)
        return self._digest.hexdigest()

    def salvage(self, monotonic_us: int) -> Progress | None:
        """After a write that failed, cut off what it left and sync the whole fragments before it.

        Returns None where nothing more can be made durable, as after a failed sync.
        """
        if self._has_lost_pages or not self._unsaid:
            return None
        try:
            os.ftruncate(self._fd, self._size)
            return self.sync(monotonic_us)
        except (OSError, StorageError):
            return None

    def abandon(self) -> str:
        """Let go of a file that the disk failed, cut behind what is durable as far as the disk still can.

        Returns the SHA-256 of what is durable; empty where it is not known, because more was hashed than
        kept.
        """
        try:
            os.ftruncate(self._fd, self._durable)
            if self._durable == 0:
                self._path.unlink(missing_ok=True)
        except OSError as error:  # read-only by now: whoever recovers the file will cut it
            logger.warning("cannot cut a segment behind its last sync: %s", error.strerror)
        finally:
            os.close(self._fd)
        return self._digest.hexdigest() if self._durable == self._size else ""

    def _write(self, data: bytes) -> None:
        """Append the data; they count only when all of them are written."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise _storage_error(error) from error
        self._digest.update(data)
        self._size += len(data)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o750, exist_ok=True)
    sync_folder(folder.parent)


def _storage_error(error: OSError) -> StorageError:
    kind = DiskFailedError if error.errno in _FAILURES else StorageError
    return kind(error.strerror or str(error))
