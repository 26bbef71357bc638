"""The job that makes an export, in turns short enough for a worker.

1. Note which segments it is about, so that what goes away meanwhile is noticed.
2. Make file after file in the work folder; at the end of a turn, go on in the next one.
3. Pack them and the manifest into a zip, which appears under its name at once.
4. Say that it is done; only from here on it is shown.

A crash after any step is made good by repeating it.
"""

import hashlib
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core import jobs
from apps.core.exceptions import OmmaError
from apps.core.models import Task
from apps.core.times import from_us, to_us
from apps.recordings.clips import LEFT_FREE_BYTES
from apps.recordings.exports.building import (
    ExportFailedError,
    MadeFile,
    StreamFiles,
    Unreadable,
    gone,
    no_room,
)
from apps.recordings.exports.places import remove_files, work_folder, zip_path
from apps.recordings.exports.services import announce
from apps.recordings.footage import segments_between
from apps.recordings.models import Export, ExportState
from apps.streams.models import Stream
from apps.streams.selectors import timeline_of_stream
from omma_engine.export.archive import pack
from omma_engine.export.manifest import (
    FORMAT,
    GapEntry,
    Manifest,
    explained_holes,
    manifest_bytes,
    time_text,
    time_us,
)
from omma_engine.types import GapCause

KEPT = timedelta(days=7)
TURN_S = 90.0  # a worker's task is ended after 180 s, and packing comes on top

Made = list[MadeFile | Unreadable]


def make_export(task: Task) -> dict[str, Any]:
    """Make the export that the job names; one that is deleted or over is nothing to do."""
    export = Export.objects.filter(pk=UUID(task.parameters["export_id"])).first()
    if export is None or export.state in {ExportState.DONE, ExportState.FAILED}:
        return {}
    change(export, state=ExportState.RUNNING)
    try:
        manifest = _Maker(export, task).make()
    except ExportFailedError as error:
        fail(export, error)
        raise
    return {"files": len(manifest["files"]), "size_bytes": export.size_bytes}


def fail(export: Export, error: OmmaError) -> None:
    """Say why an export was not made, and leave nothing of it."""
    remove_files(export.pk)
    change(
        export,
        state=ExportState.FAILED,
        error=error.message[:500],
        error_code=error.error_code[:32],
        finished_at=timezone.now(),
        expires_at=timezone.now() + KEPT,
    )


@transaction.atomic
def change(export: Export, **values: Any) -> bool:
    """Change an export and say so; False where it was deleted meanwhile."""
    if not Export.objects.filter(pk=export.pk).update(**values, updated_at=timezone.now()):
        return False
    for name, value in values.items():
        setattr(export, name, value)
    announce(export, "updated")
    return True


class _Maker:
    """One turn of one export."""

    def __init__(self, export: Export, task: Task) -> None:
        self._export = export
        self._task = task
        self._folder = work_folder(export.pk)
        self._range_us = (to_us(export.start), to_us(export.end))
        self._turn_ends_s = time.monotonic() + TURN_S
        self._made_now = 0

    def make(self) -> Manifest:
        """Make what is left, and the zip of all.

        Raises:
            jobs.Unfinished: the turn is over.
            ExportFailedError: it cannot be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            plan = self._plan()
            self._require_room()
        except OSError as error:
            raise no_room() from error
        rows = Stream.objects.filter(pk__in=plan).select_related("camera").in_bulk()
        if len(rows) < len(plan):
            raise gone()
        made = {stream_id: self._files(rows[stream_id], ids, len(plan)) for stream_id, ids in plan.items()}
        self._end_turn_after(self._turn_ends_s - TURN_S / 2)  # packing takes its time too
        manifest = self._manifest(rows, made)
        self._finish(manifest, made)
        return manifest

    def _plan(self) -> dict[UUID, list[UUID]]:
        """Return the segments of each stream, as they were when the export began."""
        noted = self._folder / "plan.json"
        if not noted.exists():
            plan = {
                stream_id: [str(one) for one in self._segments(UUID(stream_id))]
                for stream_id in self._export.stream_ids
            }
            waiting = noted.with_suffix(".new")
            waiting.write_text(json.dumps(plan))
            waiting.replace(noted)
        known: dict[str, list[str]] = json.loads(noted.read_text())
        return {UUID(stream_id): [UUID(one) for one in ids] for stream_id, ids in known.items()}

    def _segments(self, stream_id: UUID) -> list[UUID]:
        rows = segments_between(stream_id, self._export.start, self._export.end)
        return list(rows.values_list("id", flat=True))

    def _require_room(self) -> None:
        """Refuse what would fill the disk: the files and their zip are there at once for a while."""
        sizes = [
            size
            for stream_id in self._export.stream_ids
            for size in segments_between(UUID(stream_id), self._export.start, self._export.end).values_list(
                "durable_bytes", flat=True
            )
        ]
        there = sum(one.stat().st_size for one in self._folder.glob("*.mp4"))
        room = os.statvfs(self._folder)
        if room.f_bavail * room.f_frsize < 2 * sum(sizes) - there + LEFT_FREE_BYTES:
            raise no_room()

    def _files(self, stream: Stream, segment_ids: list[UUID], stream_count: int) -> Made:
        files = StreamFiles(stream, segment_ids, start_us=self._range_us[0], end_us=self._range_us[1])
        made: Made = []
        done = self._export.stream_ids.index(str(stream.pk))
        for number, run in enumerate(files.runs, start=1):
            self._end_turn_after(self._turn_ends_s)
            made += files.make(run, self._folder)
            self._made_now += files.made_now
            files.made_now = 0
            jobs.report_progress(self._task, 0.9 * (done + number / len(files.runs)) / stream_count)
        return made

    def _end_turn_after(self, moment_s: float) -> None:
        """End a turn that is late, but only one that has got further than those before it."""
        if self._made_now and time.monotonic() > moment_s:
            raise jobs.Unfinished

    def _manifest(self, rows: dict[UUID, Stream], made: dict[UUID, Made]) -> Manifest:
        export = self._export
        files = [one.entry for each in made.values() for one in each if isinstance(one, MadeFile)]
        return Manifest(
            format=FORMAT,
            export=str(export.pk),
            name=export.name,
            created=time_text(to_us(export.created_at)),
            created_by=export.created_by_name,
            start=time_text(self._range_us[0]),
            end=time_text(self._range_us[1]),
            streams=[
                {
                    "stream": str(row.pk),
                    "stream_name": row.name,
                    "camera": str(row.camera_id),
                    "camera_name": row.camera.name,
                }
                for row in (rows[stream_id] for stream_id in made)
            ],
            files=files,
            gaps=[gap for stream_id, each in made.items() for gap in self._gaps(stream_id, each)],
        )

    def _gaps(self, stream_id: UUID, made: Made) -> list[GapEntry]:
        shown = [
            (time_us(one.entry["start"]), time_us(one.entry["end"]))
            for one in made
            if isinstance(one, MadeFile)
        ]
        reasons = [
            ((one.start_us, one.end_us), GapCause.DISK.value, f"cannot be read: {one.path}")
            for one in made
            if isinstance(one, Unreadable)
        ]
        start, end = (from_us(one) for one in self._range_us)
        reasons += [
            ((to_us(span.start), to_us(span.end)), span.cause, span.detail)
            for span in timeline_of_stream(stream_id, start, end)
            if span.kind == "gap"
        ]
        return [
            GapEntry(
                stream=str(stream_id), start=time_text(hole[0]), end=time_text(hole[1]), cause=cause,
                detail=detail,
            )
            for hole, cause, detail in explained_holes(self._range_us, shown, reasons)
        ]  # fmt: skip

    def _finish(self, manifest: Manifest, made: dict[UUID, Made]) -> None:
        if not manifest["files"]:
            raise ExportFailedError("Nothing in this range can be read.", code="nothing_readable")
        sources: list[Path] = [
            one.path for each in made.values() for one in each if isinstance(one, MadeFile)
        ]
        try:
            size = pack(zip_path(self._export.pk), manifest, sources)
        except OSError as error:
            raise no_room() from error
        missing_us = sum(time_us(one["end"]) - time_us(one["start"]) for one in manifest["gaps"])
        is_kept = change(
            self._export,
            state=ExportState.DONE,
            size_bytes=size,
            file_count=len(manifest["files"]),
            damaged_count=sum(not one["is_intact"] for one in manifest["files"]),
            gap_s=missing_us / 1_000_000,
            manifest_sha256=hashlib.sha256(manifest_bytes(manifest)).hexdigest(),
            finished_at=timezone.now(),
            expires_at=timezone.now() + KEPT,
        )
        if is_kept:
            _remove_work(self._folder)
        else:
            remove_files(self._export.pk)


def _remove_work(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()
