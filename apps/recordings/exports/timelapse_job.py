"""The job that makes a time-lapse, in turns short enough for a worker.

Parts of some hundred pictures are made one after another, and stay made; then they are joined. A moment
without readable footage has no picture, also where its footage went away meanwhile.
"""

import errno
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from av.error import FFmpegError
from django.utils import timezone
from numpy.typing import NDArray

from apps.core import jobs
from apps.core.exceptions import OmmaError
from apps.core.models import Task
from apps.core.times import to_us
from apps.recordings.clips import LEFT_FREE_BYTES
from apps.recordings.exports.building import ExportFailedError, gone, no_room
from apps.recordings.exports.job import KEPT, TURN_S, change, fail
from apps.recordings.exports.places import remove_files, video_path, work_folder
from apps.recordings.footage import slices_between
from apps.recordings.models import Export, ExportState
from apps.streams.models import Stream
from omma_engine.playback.stills import fitting_size, grab_keyframe
from omma_engine.playback.timelapse import join_parts, write_part

PART_PICTURES = 200
_NEAR = timedelta(milliseconds=1)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def make_timelapse(task: Task) -> dict[str, Any]:
    """Make the time-lapse that the job names; one that is deleted or over is nothing to do."""
    export = Export.objects.filter(pk=UUID(task.parameters["export_id"])).first()
    if export is None or export.state in {ExportState.DONE, ExportState.FAILED}:
        return {}
    change(export, state=ExportState.RUNNING)
    try:
        return _Maker(export, task).make()
    except OmmaError as error:
        fail(export, error)
        raise


class _Maker:
    """One turn of one time-lapse."""

    def __init__(self, export: Export, task: Task) -> None:
        self._export = export
        self._task = task
        self._folder = work_folder(export.pk)
        self._every = timedelta(seconds=export.every_s or 1.0)
        self._count = ceil((export.end - export.start) / self._every)
        self._rate = export.frame_rate or 25
        self._turn_ends_s = time.monotonic() + TURN_S

    def make(self) -> dict[str, Any]:
        """Make what is left, and the video of all.

        Raises:
            jobs.Unfinished: the turn is over.
            ExportFailedError: it cannot be made.
        """
        stream = Stream.objects.filter(pk=UUID(self._export.stream_ids[0])).first()
        if stream is None:
            raise gone()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_parts(stream, self._size(stream))
            return self._finish()
        except (OSError, FFmpegError) as error:
            if error.errno in _NO_ROOM:
                raise no_room() from error
            raise ExportFailedError(f"The disk fails: {error.strerror}.", code="disk_error") from error

    def _size(self, stream: Stream) -> tuple[int, int]:
        """Return the size of the pictures; the same in each turn, whatever the camera does meanwhile."""
        noted = self._folder / "size"
        if not noted.exists():
            width, height = fitting_size(stream.width, stream.height, max_width=self._export.width or 1280)
            waiting = noted.with_suffix(".new")
            waiting.write_text(f"{width} {height}")
            waiting.replace(noted)
        width, height = (int(part) for part in noted.read_text().split())
        return width, height

    def _make_parts(self, stream: Stream, size_wh: tuple[int, int]) -> None:
        made_now = 0
        for first in range(0, self._count, PART_PICTURES):
            done = self._folder / f"{first:06d}.done"
            if done.exists():
                continue
            if made_now and time.monotonic() > self._turn_ends_s:
                raise jobs.Unfinished
            self._require_room()
            pictures = self._pictures(stream, first, size_wh)
            count = write_part(pictures, self._part(first), frame_rate=self._rate, size_wh=size_wh)
            done.write_text(str(count))
            made_now += 1
            jobs.report_progress(self._task, 0.95 * min(1.0, (first + PART_PICTURES) / self._count))

    def _pictures(self, stream: Stream, first: int, size_wh: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
        for number in range(first, min(first + PART_PICTURES, self._count)):
            at = self._export.start + number * self._every
            picture = grab_keyframe(
                slices_between(stream.pk, at, at + _NEAR), at_us=to_us(at), size_wh=size_wh
            )
            if picture is not None:
                yield picture.pixels

    def _part(self, first: int) -> Path:
        return self._folder / f"{first:06d}.mp4"

    def _require_room(self) -> None:
        room = os.statvfs(self._folder)
        if room.f_bavail * room.f_frsize < LEFT_FREE_BYTES:
            raise no_room()

    def _finish(self) -> dict[str, Any]:
        noted = sorted(self._folder.glob("*.done"))
        counts = [int(one.read_text()) for one in noted]
        if not sum(counts):
            raise ExportFailedError("Nothing in this range can be read.", code="nothing_readable")
        parts = [one.with_suffix(".mp4") for one, count in zip(noted, counts, strict=True) if count]
        target = video_path(self._export.pk)
        join_parts(parts, target, frame_rate=self._rate)
        is_kept = change(
            self._export,
            state=ExportState.DONE,
            size_bytes=target.stat().st_size,
            file_count=1,
            gap_s=(self._count - sum(counts)) * self._every.total_seconds(),
            finished_at=timezone.now(),
            expires_at=timezone.now() + KEPT,
        )
        if is_kept:
            for path in self._folder.iterdir():
                path.unlink(missing_ok=True)
            self._folder.rmdir()
        else:
            remove_files(self._export.pk)
        return {"pictures": sum(counts), "missing": self._count - sum(counts)}
