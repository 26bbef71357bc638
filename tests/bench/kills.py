"""Many kills: of a capture child, and of the worker that records while another one waits."""

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import RecordedStream, durable_entries, streams_of
from tests.bench.process_cost import family_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=640, height=360, fps=15, gop_s=1.0, bitrate=500_000)
CAMERAS = 2
_LIMIT_S = 40.0
_LOOK_BACK = timedelta(seconds=150)  # longer than two segments

Hole = tuple[float, float]  # seconds of footage lost before a kill, and until the first picture after it


def measure(runs: float = 100) -> list[Row]:
    """Kill children `runs` times, and then workers as often."""
    with (
        Farm([CAMERA] * CAMERAS, in_process=True) as farm,
        House([camera.url() for camera in farm.cameras]) as house,
    ):
        chance = random.Random(runs)
        streams = streams_of(house, farm.cameras)
        worker = _start(house, 0)
        _wait_for_footage(house, streams, datetime.now(UTC))
        children = [_kill_child(house, streams, worker, chance, number) for number in range(int(runs))]
        workers: list[Hole] = []
        for number in range(1, int(runs) + 1):
            waiting = _start(house, number)
            workers += _kill_worker(house, streams, worker, chance, number)
            worker = waiting
    return [*_rows("child", children, 3.0 + CAMERA.gop_s), *_rows("worker", workers, 5.0)]


def _start(house: House, number: int) -> Process:
    name = f"worker-{number}"
    process = house.start_capture(name)
    wait_for("worker", partial(_is_known, house, name), timeout_s=_LIMIT_S)
    return process


def _is_known(house: House, name: str) -> bool:
    return bool(house.rows("SELECT 1 FROM core_node WHERE name = %s", (name,)))


def _kill_child(
    house: House, streams: Sequence[RecordedStream], worker: Process, chance: random.Random, number: int
) -> Hole:
    stream = streams[number % len(streams)]
    time.sleep(chance.uniform(1, 3))
    (pid,) = wait_for("child", partial(_children_of, worker, stream), timeout_s=_LIMIT_S)
    killed = _now_after(lambda: os.kill(pid, signal.SIGKILL))
    _wait_for_footage(house, [stream], killed)
    hole = _hole(house, stream, killed)
    _restart_by_hand(house, stream)
    print(f"  child {number}: lost {hole[0]:.2f} s, recorded again after {hole[1]:.2f} s", flush=True)
    return hole


def _restart_by_hand(house: House, stream: RecordedStream) -> None:
    """Let the supervisor forget the crash: the third one in ten minutes would park the camera."""
    house.rows(
        "UPDATE streams_source SET restart_serial = restart_serial + 1 WHERE id = %s", (stream.source_id,)
    )
    time.sleep(1.5)  # until the supervisor has read it
    _wait_for_footage(house, [stream], datetime.now(UTC) - timedelta(seconds=1.5))


def _kill_worker(
    house: House, streams: Sequence[RecordedStream], worker: Process, chance: random.Random, number: int
) -> list[Hole]:
    time.sleep(chance.uniform(1, 3))
    killed = _now_after(worker.kill)
    _wait_for_footage(house, streams, killed)
    holes = [_hole(house, stream, killed) for stream in streams]
    print(f"  worker {number}: recorded again after {max(after for _, after in holes):.2f} s", flush=True)
    return holes


def _children_of(worker: Process, stream: RecordedStream) -> list[int]:
    return [pid for pid in family_of([worker.pid]) if _name_of(pid) == stream.process_name]


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _now_after(act: Callable[[], None]) -> datetime:
    act()
    return datetime.now(UTC)


def _wait_for_footage(house: House, streams: Sequence[RecordedStream], since: datetime) -> None:
    """Wait for footage that begins later, and until what ended lives left is in the rows."""
    begun = (
        "SELECT count(DISTINCT stream_id) FROM streams_segment "
        "WHERE stream_id = ANY(%s) AND start >= %s AND durable_bytes > 0"
    )
    unfinished = (
        "SELECT count(*) FROM streams_segment WHERE stream_id = ANY(%s) AND start < %s AND state = 'open'"
    )
    ids = [stream.stream_id for stream in streams]

    def is_there() -> bool:
        has_begun = house.rows(begun, (ids, since))[0][0] == len(ids)
        return bool(has_begun and house.rows(unfinished, (ids, since))[0][0] == 0)

    wait_for("footage after the kill", is_there, timeout_s=_LIMIT_S)


def _hole(house: House, stream: RecordedStream, killed: datetime) -> Hole:
    killed_us = round(killed.timestamp() * 1_000_000)
    times = [entry.utc_us for entry in durable_entries(house, stream, killed - _LOOK_BACK)]
    before = max(utc_us for utc_us in times if utc_us <= killed_us)
    after = min(utc_us for utc_us in times if utc_us > killed_us)
    return (killed_us - before) / 1e6, (after - killed_us) / 1e6


def _rows(who: str, holes: Sequence[Hole], goal_s: float) -> list[Row]:
    lost, again = [hole[0] for hole in holes], [hole[1] for hole in holes]
    kills = f"of {len(holes)} holes"
    return [
        Row(f"{who} killed: video lost before it, worst", max(lost), "s", 1.0, kills),
        Row(f"{who} killed: video lost before it, p95", _p95(lost), "s", 1.0, kills),
        Row(f"{who} killed: recording again, worst", max(again), "s", note=kills),
        Row(f"{who} killed: recording again, p95", _p95(again), "s", goal_s, kills),
    ]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]
