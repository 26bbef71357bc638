"""The journal of a child: its news on disk before they are said, so that none is lost with it.

One file per life, `<volume root>/journal/<source id>/<epoch>.jsonl`, and one more on each volume that the
life's recording moved to; one JSON object a line:

    {"sequence": N, "payload": {...}}   one piece of news
    {"acked": N}                        everything up to N is in the database

Lines are only appended. A torn last line, from a crash in the middle of a write, is no line.
"""

import errno
import fcntl
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.ports import NewsItem

logger = logging.getLogger(__name__)

_FOLDER = "journal"
_RENEW_BYTES = 256 * 1024
_MAX_UNWRITTEN = 10_000


def journal_path(volume_root: Path, source_id: UUID, epoch: int) -> Path:
    """Return where the journal of a life is."""
    return volume_root / _FOLDER / str(source_id) / f"{epoch}.jsonl"


class Journal:
    """The journal of this life, appended to by one thread.

    A disk that refuses lines does not stop the news: they are kept in memory, at most 10,000, oldest dropped
    first, and written as soon as the disk takes them again.
    """

    def __init__(self, path: Path, *, keeps_off: Callable[[Path], bool] | None = None) -> None:
        """`keeps_off` tells, of a volume's root, that nothing may be written there now."""
        self._path = path
        self._keeps_off = keeps_off
        self._earlier: list[Path] = []
        self._fd: int | None = None
        self._sequence = 0
        self._acked = 0
        self._size = 0
        self._unwritten: deque[bytes] = deque(maxlen=_MAX_UNWRITTEN)

    @property
    def sequence(self) -> int:
        """Return the number of the latest piece of news."""
        return self._sequence

    def append(self, payload: dict[str, Any]) -> int:
        """Write one piece of news and return its number, the first being 1."""
        self._sequence += 1
        self._write({"sequence": self._sequence, "payload": payload})
        return self._sequence

    def ack(self, sequence: int) -> None:
        """Note that everything up to `sequence` is in the database; a long journal then begins afresh."""
        self._acked = max(self._acked, sequence)
        if self._acked == self._sequence and self._size > _RENEW_BYTES and self._fd is not None:
            os.ftruncate(self._fd, 0)
            self._size = 0
            self._write({"acked": self._acked})

    def move(self, path: Path) -> None:
        """Go on in another file; what the one before has stays there until all of it is in the database."""
        if path == self._path:
            return
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        if self._size:
            self._earlier.append(self._path)
        self._path, self._size = path, 0
        if path in self._earlier:
            self._earlier.remove(path)
        self._flush()

    def close(self) -> None:
        """Close the journal, noting what was acknowledged; one with nothing left to say is deleted."""
        is_settled = self._acked >= self._sequence and not self._unwritten
        if self._acked and not is_settled:
            self._write({"acked": self._acked})
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        if is_settled:
            for path in (*self._earlier, self._path):
                forget(path)

    def _write(self, line: dict[str, Any]) -> None:
        self._unwritten.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._flush()

    def _flush(self) -> None:
        if not self._unwritten:
            return
        try:
            descriptor = self._descriptor()
            while self._unwritten:
                _write_whole(descriptor, self._unwritten[0])
                self._size += len(self._unwritten.popleft())
        except OSError as error:
            logger.warning("the journal cannot be written: %s", error.strerror)

    def _descriptor(self) -> int:
        if self._fd is None:
            if self._keeps_off is not None and self._keeps_off(self._path.parents[2]):
                raise OSError(errno.ENODEV, "the volume is not there")
            self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            fcntl.flock(self._fd, fcntl.LOCK_SH)  # who salvages journals sees by it that this life goes on
        return self._fd


def _write_whole(descriptor: int, line: bytes) -> None:
    """Write a line, or nothing of it: what a full disk took of it is taken back."""
    before = os.fstat(descriptor).st_size
    if os.write(descriptor, line) != len(line):
        os.ftruncate(descriptor, before)
        raise OSError(errno.ENOSPC, "No space left on device")


@dataclass(frozen=True, slots=True)
class PendingJournal:
    """What a life left unacknowledged."""

    source_id: UUID
    epoch: int
    path: Path
    items: tuple[NewsItem, ...]


def pending(volume_root: Path) -> Iterator[PendingJournal]:
    """Yield a volume's journals, oldest life of each source first, each with what is not acknowledged."""
    folder = volume_root / _FOLDER
    if not folder.is_dir():
        return
    for source_folder in sorted(folder.iterdir()):
        for path in sorted(source_folder.glob("*.jsonl"), key=_epoch_of):
            yield read_journal(path)


def read_journal(path: Path) -> PendingJournal:
    """Read one journal file."""
    source_id, epoch = UUID(path.parent.name), _epoch_of(path)
    acked = 0
    items = []
    for line in _lines(path):
        if "acked" in line:
            acked = max(acked, int(line["acked"]))
        else:
            items.append(NewsItem(source_id, epoch, int(line["sequence"]), line["payload"]))
    return PendingJournal(source_id, epoch, path, tuple(item for item in items if item.sequence > acked))


def mark_acked(path: Path, sequence: int) -> None:
    """Note in the journal of an ended life that everything up to `sequence` is in the database."""
    with path.open("ab") as file:
        file.write(json.dumps({"acked": sequence}).encode() + b"\n")


def forget(path: Path) -> None:
    """Delete the journal of an ended life, and its folder when that was the last one."""
    try:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    except OSError as error:  # another life's journal is in the folder, or the volume is gone
        logger.debug("the folder of a journal stays: %s", error.strerror)


def _epoch_of(path: Path) -> int:
    return int(path.stem)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    for line in text.split(b"\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            logger.warning("a line of journal %s is damaged", path.name)
