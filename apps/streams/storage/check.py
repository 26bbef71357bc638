"""Storage check: index and disk of each volume compared in both directions, and brought in line on request.

1. Make sure that the folder is the volume it should be; a missing or foreign one is refused, untouched.
2. Walk rows and files side by side, in the order of their paths, in constant memory.
3. Look again at each difference: recorders and retention go on meanwhile.
4. With `fix`, only after a first round that changed nothing has shown how much is lost: settle each
   difference, after making sure again that the volume is still the same.

No file is ever deleted. One check runs at a time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.db.models.functions import Collate
from django.utils import timezone

from apps.core import audit, own_connections
from apps.core.advisory_locks import STORAGE_CHECK, try_lock
from apps.core.exceptions import ConflictError
from apps.core.times import to_us
from apps.streams.models import Segment, SegmentState, Volume, VolumeState
from apps.streams.storage.losses import confirmed, settle
from apps.streams.storage.report import Kind, VolumeReport
from apps.streams.storage.strays import classified, index_again, quarantine
from apps.streams.volume_states import state_of
from apps.streams.volumes import is_folder, read_identity
from omma_engine.errors import StorageError
from omma_engine.record.comparison import Finding, RowFact, compare
from omma_engine.record.disk import QUARANTINE_FOLDER, SEGMENTS_FOLDER, FileFact, files_below
from omma_engine.record.recover import file_sha256

BATCH = 500
YOUNG = timedelta(minutes=2)  # a file written to more lately may have its row any moment
ALARMING_LOSS = 20  # rows; from here on, losing more than half of a volume is not believed at once

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to do. `quarantine` names kinds of files to move away; it and `accepts_loss` need `fix`."""

    with_hashes: bool = False
    fix: bool = False
    quarantine: frozenset[Kind] = frozenset()
    accepts_loss: bool = False
    max_examples: int = 10


def check_storage(volumes: Iterable[Volume], options: CheckOptions) -> list[VolumeReport]:
    """Check these volumes.

    Raises:
        ConflictError: another check is running.
    """
    with _only_check():
        return [_check(volume, options) for volume in volumes]


@contextmanager
def _only_check() -> Iterator[None]:
    with own_connections.connect("omma storage check") as connection:
        if not try_lock(connection, STORAGE_CHECK):
            raise ConflictError("Another storage check is running.")
        yield


def _check(volume: Volume, options: CheckOptions) -> VolumeReport:
    if not is_folder(volume):
        return VolumeReport(volume.name, refusal="a bucket is not compared", was_checked=False)
    state = state_of(volume)
    if state in {VolumeState.MISSING, VolumeState.FOREIGN}:
        why = f"the folder {volume.root} is not this volume ({state})"
        return VolumeReport(volume.name, refusal=why, was_checked=False)
    try:
        return _checked(volume, options)
    except StorageError as error:
        return VolumeReport(volume.name, refusal=str(error), was_checked=False)


def _checked(volume: Volume, options: CheckOptions) -> VolumeReport:
    if not options.fix:
        return _Round(volume, options, is_dry=True).run()
    first = _Round(volume, options, is_dry=True).run()
    if not first.differs:
        return first
    lost = first.count(Kind.MISSING)
    if lost > ALARMING_LOSS and lost * 2 > first.rows and not options.accepts_loss:
        first.refusal = f"{lost} of {first.rows} files are missing; --accept-loss believes it"
        return first
    report = _Round(volume, options, is_dry=False).run()
    audit.record(
        audit.SYSTEM,
        "storage.fix",
        subject_kind="volume",
        subject_id=volume.id,
        subject_name=volume.name,
        detail={kind.value: one.fixed for kind, one in sorted(report.tallies.items())},
    )
    return report


class _Round:
    """One walk over one volume."""

    def __init__(self, volume: Volume, options: CheckOptions, *, is_dry: bool) -> None:
        self._volume = volume
        self._root = Path(volume.root)
        self._options = options
        self._is_dry = is_dry
        self._now = timezone.now()
        self._report = VolumeReport(volume.name, max_examples=options.max_examples)

    def run(self) -> VolumeReport:
        findings = compare(
            self._rows(), self._files(), hash_of=self._hash if self._options.with_hashes else None
        )
        for batch in _batches(findings, BATCH):
            self._take_losses(batch)
            self._take_strays([one.file for one in batch if one.row is None and one.file is not None])
        self._require_same_volume()
        self._report.quarantined_files = sum(1 for _ in files_below(self._root, QUARANTINE_FOLDER))
        return self._report

    def _take_losses(self, batch: list[Finding]) -> None:
        losses = confirmed(self._volume, batch, self._now)
        self._require_same_volume()
        for loss in losses:
            is_fixed = not self._is_dry and settle(self._volume, loss)
            self._report.add(loss.kind, loss.path, loss.size_bytes, is_fixed=is_fixed)

    def _take_strays(self, files: list[FileFact]) -> None:
        old = [file for file in files if not self._is_young(file)]
        self._report.young_files += len(files) - len(old)
        strays = classified(self._volume, old)
        self._require_same_volume()
        indexed = set() if self._is_dry else index_again(self._volume, strays)
        for stray in strays:
            is_fixed = stray.file.path in indexed
            if not self._is_dry and stray.kind in self._options.quarantine:
                is_fixed = quarantine(self._volume, stray)
            self._report.add(stray.kind, stray.file.path, stray.file.size_bytes, is_fixed=is_fixed)

    def _rows(self) -> Iterator[RowFact]:
        rows = Segment.objects.filter(volume=self._volume).order_by(Collate("path", "C"), "id")
        columns = rows.values_list("id", "path", "durable_bytes", "sha256", "state", "is_damaged")
        for row_id, path, size, sha256, state, is_damaged in columns.iterator(chunk_size=5000):
            is_garbage = state == SegmentState.GARBAGE
            self._report.rows += not is_garbage
            self._report.row_bytes += 0 if is_garbage else size
            yield RowFact(row_id, path, 0 if is_garbage else size, "" if is_garbage or is_damaged else sha256)

    def _files(self) -> Iterator[FileFact]:
        for file in files_below(self._root, SEGMENTS_FOLDER):
            self._report.files += 1
            self._report.file_bytes += file.size_bytes
            yield file

    def _hash(self, path: str, size: int) -> str:
        try:
            return file_sha256(self._root / path, size)
        except OSError:
            return "unreadable"  # differs from every hash

    def _is_young(self, file: FileFact) -> bool:
        """Tell whether a file was written to since shortly before this walk began."""
        return file.modified_us > to_us(self._now - YOUNG)

    def _require_same_volume(self) -> None:
        if read_identity(self._root) != self._volume.id:
            raise StorageError(f"the volume {self._volume.name} went away during the check")


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch
