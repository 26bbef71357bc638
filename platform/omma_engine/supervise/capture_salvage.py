"""What dead capture children left: their journals, and segment files that nobody closed."""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.capture.journal import forget, journal_path, read_journal
from omma_engine.capture.messages import NewsKind
from omma_engine.errors import StorageError
from omma_engine.ports import NewsItem
from omma_engine.record.recover import RecoveredSegment, recover_segment
from omma_engine.record.retelling import news_of_file
from omma_engine.record.volume import IDENTITY_FILE
from omma_engine.supervise.capture_dialect import FROM_ABOVE

logger = logging.getLogger(__name__)

_DAYS_BACK = 2  # folders of days in which a life's last segment may be
_DYING_S = 2.0  # how long a child that was told dead may still hold its journal


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stream of a source is written."""

    volume_root: Path
    stream_id: UUID


class CaptureSalvager:
    """A `Salvager` over the volumes of this worker. `places` tells where a source's streams are written."""

    def __init__(self, places: Callable[[UUID], Sequence[Place]]) -> None:
        self._places = places

    def earlier(self, object_id: UUID, before_epoch: int) -> Iterator[tuple[int, list[NewsItem] | None]]:
        for root in self._roots(object_id):
            folder = journal_path(root, object_id, 0).parent
            epochs = sorted(int(path.stem) for path in folder.glob("*.jsonl") if path.stem.isdigit())
            for epoch in epochs:
                if epoch < before_epoch:
                    yield epoch, self._left_by(root, object_id, epoch, wait_s=0.0)

    def after_exit(self, object_id: UUID, epoch: int) -> list[NewsItem] | None:
        items: list[NewsItem] = []
        for root in self._roots(object_id):
            found = self._left_by(root, object_id, epoch, wait_s=_DYING_S)
            if found is None:
                return None
            items.extend(found)
        return items

    def unsaid(self, object_id: UUID, epoch: int) -> list[NewsItem]:
        items: list[NewsItem] = []
        for root in self._roots(object_id):
            items.extend(read_journal(journal_path(root, object_id, epoch)).items)
        return items

    def settled(self, object_id: UUID, epoch: int) -> None:
        for root in self._roots(object_id):
            path = journal_path(root, object_id, epoch)
            if path.exists() and is_over(path, wait_s=0.0):
                forget(path)

    def _roots(self, object_id: UUID) -> list[Path]:
        return sorted({place.volume_root for place in self._places(object_id)})

    def _left_by(self, root: Path, object_id: UUID, epoch: int, *, wait_s: float) -> list[NewsItem] | None:
        """Return a life's unacknowledged news, and what its last files tell; None while it lives."""
        path = journal_path(root, object_id, epoch)
        if not path.exists():
            return []
        if not is_over(path, wait_s=wait_s):
            return None
        items = list(read_journal(path).items)
        closed = {item.payload["segment_id"] for item in items if _is_close(item)}
        for place in self._places(object_id):
            if place.volume_root == root:
                payloads = _recover_last(place, epoch, closed)
                items += [NewsItem(object_id, epoch, FROM_ABOVE, payload) for payload in payloads]
        return items


def _is_close(item: NewsItem) -> bool:
    return item.payload.get("kind") == NewsKind.SEGMENT_CLOSE


def is_over(journal: Path, *, wait_s: float = 0.0) -> bool:
    """Tell whether the life that writes a journal has ended: its lock is free. Waits a little for it."""
    descriptor = os.open(journal, os.O_RDONLY | os.O_CLOEXEC)
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.02)
            else:
                return True
    finally:
        os.close(descriptor)


def _recover_last(place: Place, epoch: int, closed: set[str]) -> list[dict[str, Any]]:
    """Make the last file of a life whole and tell it as news, unless the life closed it itself."""
    path = _last_file(place, epoch)
    if path is None:
        return []
    if not (place.volume_root / IDENTITY_FILE).exists():
        logger.warning("segment %s waits for a storage check: its volume is not there", path.name)
        return []
    try:
        recovered = recover_segment(path)
    except StorageError as error:
        logger.warning("segment %s has nothing to recover: %s", path.name, error)
        return []
    if recovered.index.label.segment_id in closed:
        return []
    return _as_news(place, path, recovered)


def _last_file(place: Place, epoch: int) -> Path | None:
    folder = place.volume_root / "segments" / str(place.stream_id)
    if not folder.is_dir():
        return None
    days = sorted((day for day in folder.iterdir() if day.is_dir()), reverse=True)[:_DAYS_BACK]
    files = [path for day in days for path in day.glob(f"*-{epoch}-*.mp4")]
    return max(files, key=lambda path: int(path.stem.rsplit("-", 1)[1]), default=None)


def _as_news(place: Place, path: Path, recovered: RecoveredSegment) -> list[dict[str, Any]]:
    relative = str(path.relative_to(place.volume_root))
    return news_of_file(recovered, path=relative, volume_id=_volume_id(place.volume_root))


def _volume_id(root: Path) -> str:
    return str(json.loads((root / IDENTITY_FILE).read_text())["volume_id"])
