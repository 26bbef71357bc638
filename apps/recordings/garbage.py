"""Files that the index no longer wants: deleted, durably, and then forgotten. It may be repeated."""

import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from apps.core.exceptions import OmmaError
from apps.streams.models import Segment, SegmentState, Volume
from apps.streams.stores.choosing import store_of
from apps.streams.volumes import is_folder

logger = logging.getLogger(__name__)

BATCH = 500


def sweep_garbage(volumes: Iterable[Volume]) -> int:
    """Delete the files of garbage rows and then the rows; return how many."""
    return sum(_sweep(volume) for volume in volumes)


def _sweep(volume: Volume) -> int:
    count, after = 0, UUID(int=0)
    while True:
        rows = Segment.objects.filter(state=SegmentState.GARBAGE, volume=volume, id__gt=after).order_by("id")
        paths = dict(rows.values_list("id", "path")[:BATCH])
        if not paths:
            return count
        deleted = _deleted_from_folder(volume, paths) if is_folder(volume) else _deleted(volume, paths)
        Segment.objects.filter(id__in=deleted, state=SegmentState.GARBAGE).delete()
        count += len(deleted)
        after = max(paths)


def _deleted_from_folder(volume: Volume, paths: dict[UUID, str]) -> list[UUID]:
    """Unlink files, sync each of their folders once; return those that are gone."""
    root = Path(volume.root)
    gone = [segment_id for segment_id, path in paths.items() if _unlink(root, path)]
    by_folder: dict[Path, list[UUID]] = defaultdict(list)
    for segment_id in gone:
        by_folder[(root / paths[segment_id]).parent].append(segment_id)
    for folder in sorted(by_folder):
        if folder.is_dir():
            _sync(folder)
    return gone


def _deleted(volume: Volume, paths: dict[UUID, str]) -> list[UUID]:
    gone = []
    for segment_id, path in paths.items():
        try:
            store_of(volume).delete(path)
        except (OSError, OmmaError) as error:
            logger.warning("cannot delete %s from %s: %s", path, volume.name, error)
        else:
            gone.append(segment_id)
    return gone


def _unlink(root: Path, relative: str) -> bool:
    """Delete a file of a volume; one that is gone already counts."""
    target = root / relative
    if not target.resolve().is_relative_to(root.resolve()):
        logger.error("segment path leads out of its volume: %s", relative)
        return False
    try:
        target.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("cannot delete %s: %s", target, error)
        return False
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
