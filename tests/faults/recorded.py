"""Cameras of the farm recorded by real workers on servers of their own, and what came of it.

What was recorded is read back from the pictures themselves: each says which one it is and when it was made.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from omma.tree.environment import python
from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import RecordedStream, durable_entries, streams_of
from tests.bench.process_cost import family_of
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=320, height=240, fps=15, gop_s=1.0, bitrate=300_000)
LIMIT_S = 60.0
_TOLERANCE_S = 0.25
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Holes:
    """What is missing of one camera's pictures between the first recorded one and a moment."""

    lost: int
    worst_s: float


class RecordedFarm:
    """A farm, a house with its cameras, and the workers that a test starts."""

    def __init__(self, farm: Farm, house: House) -> None:
        self.farm = farm
        self.house = house
        self.streams = streams_of(house, farm.cameras)
        self.began = datetime.now(UTC)
        self._workers: list[Process] = []

    # --- workers --------------------------------------------------------------------------------------

    def start_worker(self, name: str, *options: str) -> Process:
        """Start a capture worker and return when it is known."""
        command = python("manage.py", "capture", "--name", name, *options)
        return self.adopt(name, self.house.start(name, command))

    def adopt(self, name: str, process: Process) -> Process:
        """Count a worker that the test started itself."""
        self._workers.append(process)
        self.wait("worker", lambda: self._is_there(name))
        return process

    def stop_worker(self, process: Process) -> None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    def child_of(self, stream: RecordedStream) -> int:
        """Return the process that records a stream now."""

        def find() -> int | None:
            alive = [each.pid for each in self._workers if each.poll() is None]
            found = [pid for pid in family_of(alive) if _name_of(pid) == stream.process_name]
            return found[-1] if found else None

        return self.wait("capture process", find)

    def owner_of(self, stream: RecordedStream) -> str:
        rows = self.house.rows("SELECT owner FROM core_lease WHERE object_id = %s", (stream.source_id,))
        return rows[0][0] if rows else ""

    def _is_there(self, name: str) -> bool:
        query = (
            "SELECT 1 FROM core_node WHERE name = %s AND NOT is_draining AND seen_at > now() - interval '2 s'"
        )
        return bool(self.house.rows(query, (name,)))

    # --- time -----------------------------------------------------------------------------------------

    def wait(self, what: str, look: Callable[[], Found | None], timeout_s: float = LIMIT_S) -> Found:
        return wait_for(what, look, timeout_s=timeout_s, every_s=0.1)

    def wait_recorded(self, since: datetime | None = None, *, streams: Sequence[RecordedStream] = ()) -> None:
        """Wait until pictures of every stream are durable that were made after a moment."""
        since = since or datetime.now(UTC)
        for stream in streams or self.streams:
            self.wait("footage", lambda stream=stream: self.durable_until(stream) > since)  # type: ignore[misc]

    def durable_until(self, stream: RecordedStream) -> datetime:
        rows = self.house.rows(
            'SELECT max("end") FROM streams_segment WHERE stream_id = %s AND durable_bytes > 0',
            (stream.stream_id,),
        )
        return rows[0][0] or datetime.fromtimestamp(0, UTC)

    # --- judgement ------------------------------------------------------------------------------------

    def holes(self, stream: RecordedStream) -> Holes:
        """Compare all that the camera made, up to its last durable picture, with what is durable."""
        times = sorted(entry.utc_us for entry in self._entries(stream))
        assert times, f"nothing of {stream.process_name} is durable"
        made = {one.utc_us for one in stream.camera.ledger() if times[0] <= one.utc_us <= times[-1]}
        interval_s = 1 / stream.camera.spec.fps
        worst_s = max((later - earlier) / 1e6 - interval_s for earlier, later in pairwise(times))
        return Holes(len(made - set(times)), max(0.0, worst_s))

    def assert_honest(self) -> None:
        """Recorded time and gaps make up all time; nothing overlaps; epochs follow each other."""
        for stream in self.streams:
            rows = self._segments(stream)
            for one, other in pairwise(rows):
                assert one[1] <= other[0], (one, other)
                assert one[2] <= other[2], (one, other)
            gaps = self.house.rows(
                'SELECT start, "end" FROM streams_gap WHERE stream_id = %s AND "end" IS NOT NULL',
                (stream.stream_id,),
            )
            spans = sorted([*((start, end) for start, end, _ in rows), *gaps])
            for (_, end), (start, _) in pairwise(spans):
                assert abs((start - end).total_seconds()) <= _TOLERANCE_S, spans

    def gap_causes(self, stream: RecordedStream) -> list[str]:
        """Return the causes of the gaps after the first picture, in order."""
        rows = self.house.rows(
            "SELECT cause FROM streams_gap WHERE stream_id = %s AND detail <> 'before the first picture' "
            "ORDER BY start",
            (stream.stream_id,),
        )
        return [cause for (cause,) in rows]

    def rows_without_bytes(self) -> list[str]:
        """Return the segments whose file holds less than their row promises."""
        (root,) = self.house.rows("SELECT root FROM streams_volume WHERE is_default")[0]
        rows = self.house.rows("SELECT path, durable_bytes FROM streams_segment WHERE state <> 'garbage'")
        return [path for path, size in rows if (Path(root) / path).stat().st_size < size]

    def _segments(self, stream: RecordedStream) -> list[tuple[Any, ...]]:
        return self.house.rows(
            'SELECT start, "end", epoch FROM streams_segment WHERE stream_id = %s AND durable_bytes > 0 '
            "AND state <> 'garbage' ORDER BY start",
            (stream.stream_id,),
        )

    def _entries(self, stream: RecordedStream) -> Iterator[Any]:
        return durable_entries(self.house, stream, datetime.fromtimestamp(0, UTC))


@contextmanager
def recorded_farm(cameras: int = 1, spec: CameraSpec = CAMERA) -> Iterator[RecordedFarm]:
    """Run a farm and a house with its cameras; nothing records yet."""
    with (
        Farm([spec] * cameras, in_process=True) as farm,
        House([camera.url() for camera in farm.cameras]) as house,
    ):
        yield RecordedFarm(farm, house)


def processes_marked(*texts: str) -> list[int]:
    """Return the processes in whose command line and environment all these texts stand."""
    others = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in others if _mentions(entry, [text.encode() for text in texts])]


def _mentions(entry: Path, texts: list[bytes]) -> bool:
    try:
        words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
    except OSError:
        return False
    return all(text in words for text in texts)


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def settle(seconds: float) -> None:
    """Let real time pass: a fault has to last."""
    time.sleep(seconds)
