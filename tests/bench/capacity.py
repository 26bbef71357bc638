"""How many 1080p30 cameras this machine records before it loses the first picture, and what limits it.

Cameras are added in steps, each step from a farm process of its own, until pictures are lost or the
processors have nothing left. The farm and the database are on this machine too: their share is told beside.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from omma.tree.environment import python
from tests.bench.house import House, wait_for
from tests.bench.ledgers import RecordedStream, durable_entries, gaps_since, streams_of
from tests.bench.process_cost import family_of
from tests.bench.process_cost import measure as cost_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=1920, height=1080, fps=30, bitrate=4_000_000)
STEP, MOST = 8, 64
_SETTLE_S, _WINDOW_S = 6.0, 8.0
_TIMEOUT_S = 60.0
_LEAST_IDLE = 0.03
_UNREAD_US = 1_500_000  # what was made so shortly before the end may be on its way
_LAST_SYNCS_S = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """So many cameras, from `began` until `until_us`; costs are in cores, `idle` a share of all cores."""

    cameras: int
    began: datetime
    until_us: int
    ours: float
    farm: float
    database: float
    idle: float

    @property
    def in_words(self) -> str:
        """Say what the processors did."""
        return (
            f"recording {self.ours:.2f} cores, farm {self.farm:.2f}, database {self.database:.2f}, "
            f"{100 * self.idle:.0f} % idle"
        )


def measure() -> list[Row]:
    """Add cameras until the machine has had enough."""
    with ExitStack() as stack:
        farms = [stack.enter_context(Farm([CAMERA] * STEP, in_process=True)) for _ in range(MOST // STEP)]
        cameras = [camera for farm in farms for camera in farm.cameras]
        house = stack.enter_context(House([camera.url() for camera in cameras]))
        house.rows("UPDATE streams_source SET is_wanted = false")
        streams = streams_of(house, cameras)
        began = datetime.now(UTC)
        command = python("manage.py", "capture", "--name", "capacity", "--slots", str(MOST))
        capture = house.start("capture", command)
        steps: list[Step] = []
        while not steps or _may_go_on(house, steps[-1]):
            steps.append(_step(house, streams[: STEP * (len(steps) + 1)], capture.pid, farms))
        time.sleep(_LAST_SYNCS_S)
        lost = _lost(house, streams, began, steps)
    return _rows(steps, lost, may_have_more=steps[-1].cameras >= MOST)


def _may_go_on(house: House, step: Step) -> bool:
    return step.idle > _LEAST_IDLE and not gaps_since(house, step.began) and step.cameras < MOST


def _step(house: House, streams: Sequence[RecordedStream], pid: int, farms: Sequence[Farm]) -> Step:
    """Have these cameras recorded, wait until they are, and measure for a while."""
    for stream in streams[-STEP:]:
        house.rows("UPDATE streams_source SET is_wanted = true WHERE id = %s", (stream.source_id,))
    wait_for(f"footage of {len(streams)}", lambda: _recorded(house) >= len(streams), timeout_s=_TIMEOUT_S)
    time.sleep(_SETTLE_S)
    began, idle_s = datetime.now(UTC), _idle_s()
    farm_pids = [farm.pid for farm in farms if farm.pid]
    cost = cost_of([pid, house.postgres_pid, *farm_pids], _WINDOW_S)
    idle = (_idle_s() - idle_s) / cost.seconds / (os.cpu_count() or 1)
    ours, database, farm = (
        cost.only(family_of(roots)).cpu_share for roots in ([pid], [house.postgres_pid], farm_pids)
    )
    step = Step(len(streams), began, time.time_ns() // 1000 - _UNREAD_US, ours, farm, database, idle)
    print(f"{step.cameras} cameras: {step.in_words}", flush=True)
    return step


def _recorded(house: House) -> int:
    query = "SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0"
    return int(house.rows(query)[0][0])


def _idle_s() -> float:
    """Return for how long processors had nothing to do since the machine started (proc(5))."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def _lost(
    house: House, streams: Sequence[RecordedStream], since: datetime, steps: Sequence[Step]
) -> list[int]:
    """Return how many pictures that were made within each step are not durable."""
    lost = [0] * len(steps)
    for number, stream in enumerate(streams[: steps[-1].cameras]):
        made = {emitted.sequence: emitted.utc_us for emitted in stream.camera.ledger()}
        missing = made.keys() - {entry.sequence for entry in durable_entries(house, stream, since)}
        for index, step in enumerate(steps):
            if number < step.cameras:
                began_us = int(step.began.timestamp() * 1_000_000)
                lost[index] += sum(began_us <= made[each] <= step.until_us for each in missing)
    return lost


def _rows(steps: Sequence[Step], lost: Sequence[int], *, may_have_more: bool) -> list[Row]:
    good = [step for step, count in zip(steps, lost, strict=True) if not count]
    first_bad = next((step for step, count in zip(steps, lost, strict=True) if count), None)
    best = good[-1] if good else steps[0]
    carried = (os.cpu_count() or 1) / ((best.ours + best.database) / best.cameras)
    words = f"tried up to {steps[-1].cameras}" if may_have_more else f"then: {steps[-1].in_words}"
    if first_bad is not None:
        words = f"at {first_bad.cameras}, pictures were lost: {first_bad.in_words}"
    return [
        Row("cameras without a lost picture", best.cameras if good else 0, "", note=words),
        Row("what was busy then", 100 * (1 - best.idle), "% of all cores", note=best.in_words),
        Row(
            "cameras by the processor alone",
            carried,
            "",
            note="all cores at the cost of recording and its database, with cameras on other machines",
        ),
    ]
