"""What an analysis leaves on disk: pictures and boxes, under names that a repeated run gives again."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TextIO
from uuid import UUID

from omma_engine.detect.base import Picture
from omma_engine.ids import derived_id, milliseconds_of
from omma_engine.inference.messages import HostNewsKind
from omma_engine.inference.offline.folders import pictures_folder
from omma_engine.inference.pictures import PictureStore

logger = logging.getLogger(__name__)

BOXES, FINDINGS = "boxes", "findings"
MOST_BYTES = 512 << 20  # of one analysis: beyond it, tracks and events tell the rest
MOST_MATCHES = 1000  # that are told one by one


class Names:
    """Gives each thing found in a leg its lasting id, by the order in which things turn up."""

    def __init__(self, task_id: UUID, leg: int) -> None:
        self._seed = task_id, leg
        self._known: dict[UUID, UUID] = {}

    def of(self, random_id: UUID) -> UUID:
        """Return the lasting id of what so far has one that chance gave it."""
        if random_id not in self._known:
            self._known[random_id] = derived_id(milliseconds_of(random_id), *self._seed, len(self._known))
        return self._known[random_id]


class AnalysisPictures(PictureStore):
    """Crops and snapshots of one analysis, in a folder of their own; or none at all."""

    def __init__(self, data_dir: Path, task_id: UUID, *, is_kept: bool) -> None:
        super().__init__(data_dir)
        self._folder = pictures_folder(task_id)
        self._is_kept = is_kept
        self.names = Names(task_id, 0)

    def _save(self, name: str, picture: Picture, *args: Any, **options: Any) -> str:
        if not self._is_kept:
            return ""
        path = PurePosixPath(name)
        lasting = f"{self._folder}/{path.parts[1]}/{self.names.of(UUID(path.stem))}{path.suffix}"
        return super()._save(lasting, picture, *args, **options)


class FoundBook:
    """Writes what is found, a file a leg: a line for each picture with boxes, and one for each finding.

    A leg that is done again, after its process died, begins its files anew.
    """

    def __init__(self, folder: Path, *, keeps_boxes: bool) -> None:
        self._folder = folder
        self._keeps_boxes = keeps_boxes
        self._files: dict[str, TextIO] = {}
        self._left = MOST_BYTES
        self._begins_us = 0

    def begin_leg(self, leg: int, begins_us: int) -> None:
        """Write to the leg's own files from now on; pictures before `begins_us` are its run-in."""
        self.close()
        self._begins_us = begins_us
        self._folder.mkdir(parents=True, exist_ok=True)
        for kind in (BOXES, FINDINGS):
            self._files[kind] = (self._folder / f"{kind}-{leg:06d}.jsonl").open("w")

    def publish(self, stream_id: UUID, message: Mapping[str, Any]) -> None:
        """Take what one picture shows, as a `ResultPublisher`."""
        boxes = message.get("boxes")
        if self._keeps_boxes and boxes and message["capture_us"] >= self._begins_us:
            self._write(
                BOXES,
                {"at_us": message["capture_us"], "analytic_id": message["analytic_id"], "boxes": boxes},
            )

    def note(self, finding: Mapping[str, Any]) -> None:
        """Write down one finding: a track, a match or what was counted."""
        self._write(FINDINGS, finding)

    def flush(self) -> None:
        """Let readers see what was written."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Finish the files of this leg."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _write(self, kind: str, content: Mapping[str, Any]) -> None:
        line = json.dumps(content, separators=(",", ":")) + "\n"
        self._left -= len(line)
        if self._left > 0 and kind in self._files:
            self._files[kind].write(line)


def read_lines(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of one kind, leg by leg; one that is being written is left out."""
    for path in sorted(folder.glob(f"{kind}-*.jsonl")):
        with path.open() as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)


def summary_of(folder: Path) -> dict[str, Any]:
    """Return what was found: how many of what by analytic, and the first matches of rules one by one."""
    counts: dict[str, Any] = {}
    matches: list[dict[str, Any]] = []
    for finding in read_lines(folder, FINDINGS):
        own = counts.setdefault(finding["analytic_id"], {"tracks": {}, "matches": {}, "results": 0})
        match finding["kind"]:
            case HostNewsKind.TRACK_CLOSE:
                own["tracks"][finding["label"]] = own["tracks"].get(finding["label"], 0) + 1
            case HostNewsKind.MATCH:
                own["matches"][finding["rule_id"]] = own["matches"].get(finding["rule_id"], 0) + 1
                matches += [finding] if len(matches) < MOST_MATCHES else []
            case HostNewsKind.RESULT:
                own["results"] += 1
    return {"analytics": counts, "matches": matches}
