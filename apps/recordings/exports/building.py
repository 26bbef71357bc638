"""The files of an export, one run of footage after another, so that what is made stays made.

A file lies in the export's work folder under the name of its exact content, and beside it lies what became of
each run, so that nothing is hashed or copied twice.
"""

import errno
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from av.error import FFmpegError

from apps.core.exceptions import ConflictError
from apps.core.times import to_us
from apps.recordings.footage import sha256_of_footage, slices_of
from apps.streams.models import Segment, SegmentState, Stream
from omma_engine.errors import FootageDamagedError, FootageMissingError
from omma_engine.export.archive import safe_name
from omma_engine.export.manifest import FileEntry, SourceEntry, time_text
from omma_engine.export.runs import runs_of, split
from omma_engine.playback.clip import build_clip, clip_key
from omma_engine.playback.slices import Piece, Selection, select_footage
from omma_engine.record.recover import file_sha256

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ExportFailedError(ConflictError):
    """An export that cannot be made; `error_code` says why, and trying again would not help."""

    code = "export_failed"


def gone() -> ExportFailedError:
    return ExportFailedError("Footage of this range went away while it was exported.", code="footage_gone")


def no_room() -> ExportFailedError:
    return ExportFailedError("There is not enough free space for this export.", code="disk_full")


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A finished file of the export."""

    path: Path
    entry: FileEntry


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Footage that is there and holds no readable video."""

    start_us: int
    end_us: int
    path: str


class StreamFiles:
    """The files of one stream: `runs` in order of time; `make` takes what was made before as it is.

    `made_now` counts the runs that were not.
    """

    def __init__(self, stream: Stream, segment_ids: list[UUID], *, start_us: int, end_us: int) -> None:
        rows = Segment.objects.filter(id__in=segment_ids).exclude(state=SegmentState.GARBAGE)
        self._stream = stream
        self.made_now = 0
        self._rows: Mapping[UUID, Segment] = {row.id: row for row in rows.select_related("volume")}
        if len(self._rows) < len(segment_ids):
            raise gone()
        ordered = sorted(self._rows.values(), key=lambda row: (row.start, row.id))
        try:
            selection = select_footage(slices_of(ordered), start_us=start_us, end_us=end_us)
            self.runs = runs_of(selection)
        except FootageMissingError:
            self.runs = []  # no keyframe in the range
        for row in self._rows.values():
            row.fragments = []  # the selection has them

    def make(self, run: Selection, folder: Path) -> list[MadeFile | Unreadable]:
        """Return the run's files: one, or more where a segment is not as it was recorded.

        Raises:
            ExportFailedError: a file is gone, or the disk is full.
        """
        known = folder / f"{clip_key(run)}.json"
        if not known.exists():
            _note(self._made_now(run, folder), known)
            self.made_now += 1
        return [_remembered(one, folder) for one in json.loads(known.read_text())]

    def _made_now(self, run: Selection, folder: Path) -> list[MadeFile | Unreadable]:
        try:
            sources = {piece.source.segment_id: self._source(piece) for piece in run.pieces}
            parts = split(run, lambda *both: len({self._is_intact(sources, one) for one in both}) == 1)
            return [made for part in parts for made in self._made(part, sources, folder)]
        except (FileNotFoundError, FootageMissingError) as error:
            raise gone() from error
        except OSError as error:
            raise _translated(error) from error

    def _made(
        self, part: Selection, sources: Mapping[UUID, SourceEntry], folder: Path
    ) -> Iterator[MadeFile | Unreadable]:
        try:
            yield self._file(part, sources, folder)
        except FootageMissingError as error:
            raise gone() from error
        except (FootageDamagedError, FFmpegError) as error:
            if isinstance(error, FFmpegError) and error.errno in _NO_ROOM:
                raise no_room() from error
            if len(part.pieces) == 1:
                yield Unreadable(part.start_us, part.end_us, part.pieces[0].source.path)
                return
            for single in split(part, lambda _one, _other: False):  # its neighbours are none the worse
                yield from self._made(single, sources, folder)

    def _file(self, part: Selection, sources: Mapping[UUID, SourceEntry], folder: Path) -> MadeFile:
        clip = build_clip(part, folder)
        return MadeFile(clip.path, self._entry(part, sources, clip.path))

    def _entry(self, part: Selection, sources: Mapping[UUID, SourceEntry], path: Path) -> FileEntry:
        used = [sources[piece.source.segment_id] for piece in part.pieces]
        clocks = {one["clock"] for one in used}
        codec, width, height = part.pieces[0].kind
        return FileEntry(
            name=self._name(part),
            stream=str(self._stream.pk),
            stream_name=self._stream.name,
            camera=str(self._stream.camera_id),
            camera_name=self._stream.camera.name,
            start=time_text(part.start_us),
            end=time_text(part.end_us),
            clock=clocks.pop() if len(clocks) == 1 else "mixed",
            error_us=max(one["error_us"] for one in used),
            codec=codec,
            width=width,
            height=height,
            size=path.stat().st_size,
            sha256=file_sha256(path),
            is_intact=all(self._is_intact(sources, piece) for piece in part.pieces),
            segments=used,
        )

    def _name(self, part: Selection) -> str:
        moment = time_text(part.start_us).replace(":", "-")
        folder = safe_name(f"{self._stream.camera.name} {str(self._stream.camera_id)[-6:]}")
        return f"{folder}/{safe_name(self._stream.name)} {moment}.mp4"

    def _source(self, piece: Piece) -> SourceEntry:
        row = self._rows[piece.source.segment_id]
        return SourceEntry(
            segment=str(row.id),
            start=time_text(to_us(row.start)),
            end=time_text(to_us(row.end)),
            bytes=row.durable_bytes,
            sha256=sha256_of_footage(row),
            recorded_sha256=row.sha256,
            clock=row.clock,
            error_us=row.error_us,
        )

    def _is_intact(self, sources: Mapping[UUID, SourceEntry], piece: Piece) -> bool:
        """Tell whether a segment is as it was recorded, as far as that is known."""
        source, row = sources[piece.source.segment_id], self._rows[piece.source.segment_id]
        is_same = source["recorded_sha256"] in {"", source["sha256"]}
        return is_same and not row.is_damaged


def _note(made: list[MadeFile | Unreadable], target: Path) -> None:
    waiting = target.with_suffix(".new")
    try:
        waiting.write_text(json.dumps([_noted(one) for one in made]))
        waiting.replace(target)
    except OSError as error:
        raise _translated(error) from error


def _noted(one: MadeFile | Unreadable) -> dict[str, Any]:
    if isinstance(one, MadeFile):
        return {"file": one.path.name, "entry": one.entry}
    return {"start_us": one.start_us, "end_us": one.end_us, "path": one.path}


def _remembered(noted: dict[str, Any], folder: Path) -> MadeFile | Unreadable:
    return MadeFile(folder / noted["file"], noted["entry"]) if "file" in noted else Unreadable(**noted)


def _translated(error: OSError) -> ExportFailedError:
    if error.errno in _NO_ROOM:
        return no_room()
    return ExportFailedError(f"The disk fails: {error.strerror}.", code="disk_error")
