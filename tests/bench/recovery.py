"""What is lost when a capture child is killed, and when a whole worker is, with a second one running."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import av

from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import RecordedStream, durable_entries, streams_of
from tests.bench.process_cost import family_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=1280, height=720, fps=30, bitrate=2_000_000)
CAMERAS = 6
WORKER_KILLS = 3
_SETTLE_S = 5.0
_BETWEEN_S = 1.5
_LIMIT_S = 30.0
_CONNECTS = 3


@dataclass(frozen=True, slots=True)
class Hole:
    """The footage around a kill, as seconds from it: its end before, the new process, its begin after.

    The times are the cameras' own, from the ledger in the pictures that are durable.
    """

    lost_s: float
    restarted_s: float
    recording_s: float


def measure() -> list[Row]:
    """Kill each camera's child once, then the worker that records, several times."""
    with (
        Farm([CAMERA] * CAMERAS, in_process=True) as farm,
        House([camera.url() for camera in farm.cameras]) as house,
    ):
        streams = streams_of(house, farm.cameras)
        first = house.start_capture("first")
        _wait_for_footage(house, datetime.now(UTC))
        time.sleep(_SETTLE_S)
        children = [_kill_child(house, stream, first) for stream in streams]
        connect_s = statistics.median(_connect_s(stream) for stream in streams[:_CONNECTS])
        workers = _kill_workers(house, streams, first)
    return [*_child_rows(children, connect_s), *_worker_rows(workers)]


def _wait_for_footage(house: House, since: datetime) -> None:
    """Wait until something of every camera is durable that began since then."""
    query = "SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0 AND start >= %s"
    wait_for("footage", lambda: house.rows(query, (since,))[0][0] == CAMERAS, timeout_s=_LIMIT_S)


def _kill_child(house: House, stream: RecordedStream, worker: Process) -> Hole:
    """Kill a camera's child, wait until its successor's footage is durable, and look at the hole."""
    time.sleep(_BETWEEN_S)
    (pid,) = [each for each in family_of([worker.pid]) if _name_of(each) == stream.process_name]
    killed = _now_after(lambda: os.kill(pid, signal.SIGKILL))
    _wait_until_recorded(house, stream, killed)
    hole = _hole(house, stream, killed)
    print(f"  child killed: {hole}", flush=True)
    return hole


def _kill_workers(house: House, streams: Sequence[RecordedStream], first: Process) -> list[Hole]:
    """Kill the worker that records, with another one waiting, again and again."""
    holes = []
    recording = first
    for number in range(WORKER_KILLS):
        name = f"worker-{number}"
        waiting = house.start_capture(name)
        wait_for("waiting worker", partial(_is_known, house, name), timeout_s=_LIMIT_S)
        time.sleep(_SETTLE_S)
        killed = _now_after(recording.kill)
        for stream in streams:
            _wait_until_recorded(house, stream, killed)
        holes += [_hole(house, stream, killed) for stream in streams]
        print(f"  worker killed: {holes[-1]}", flush=True)
        recording = waiting
    return holes


def _now_after(act: Callable[[], None]) -> datetime:
    act()
    return datetime.now(UTC)


def _is_known(house: House, name: str) -> bool:
    return bool(house.rows("SELECT 1 FROM core_node WHERE name = %s", (name,)))


def _wait_until_recorded(house: House, stream: RecordedStream, since: datetime) -> None:
    query = "SELECT 1 FROM streams_segment WHERE stream_id = %s AND start >= %s AND durable_bytes > 0"
    wait_for(
        "footage after the kill",
        lambda: bool(house.rows(query, (stream.stream_id, since))) and _is_recovered(house, stream),
        timeout_s=_LIMIT_S,
    )


def _is_recovered(house: House, stream: RecordedStream) -> bool:
    """Tell whether no segment of an ended life is still open: then the rows say all that the files hold."""
    query = "SELECT count(*) FROM streams_segment WHERE stream_id = %s AND state = 'open'"
    return bool(house.rows(query, (stream.stream_id,))[0][0] <= 1)


def _hole(house: House, stream: RecordedStream, killed: datetime) -> Hole:
    """Return the hole around a kill, by what durable pictures say of themselves."""
    killed_us = round(killed.timestamp() * 1_000_000)
    times = [entry.utc_us for entry in durable_entries(house, stream, datetime.fromtimestamp(0, UTC))]
    before = max(utc_us for utc_us in times if utc_us <= killed_us)
    after = min(utc_us for utc_us in times if utc_us > killed_us)
    (restarted,) = house.rows(
        "SELECT min(at) FROM streams_stream_log WHERE source_id = %s AND at > %s AND status = 'connecting'",
        (stream.source_id, killed),
    )[0]
    return Hole(
        lost_s=(killed_us - before) / 1e6,
        restarted_s=(restarted - killed).total_seconds(),
        recording_s=(after - killed_us) / 1e6,
    )


def _connect_s(stream: RecordedStream) -> float:
    """Return how long the camera takes from being asked to its first packet, a keyframe."""
    began_s = time.monotonic()
    options = {"rtsp_transport": "tcp", "analyzeduration": "0", "fpsprobesize": "0"}
    with av.open(stream.camera.url(), options=options, timeout=(10.0, 10.0)) as container:
        next(container.demux(video=0))
    return time.monotonic() - began_s


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _child_rows(holes: Sequence[Hole], connect_s: float) -> list[Row]:
    lost, restarted = [hole.lost_s for hole in holes], [hole.restarted_s for hole in holes]
    whole = [hole.lost_s + hole.recording_s for hole in holes]
    kills = f"worst of {len(holes)} kills, median"
    own = f"goal: 1 s + 2 s + {connect_s:.2f} s to connect and get a keyframe (a GOP is {CAMERA.gop_s:g} s)"
    return [
        Row("child killed: video lost", max(lost), "s", 1.0, f"{kills} {statistics.median(lost):.2f} s"),
        Row(
            "child killed: restart", max(restarted), "s", 2.0, f"{kills} {statistics.median(restarted):.2f} s"
        ),
        Row(
            "child killed: whole hole",
            max(whole),
            "s",
            3.0 + connect_s,
            f"{kills} {statistics.median(whole):.2f} s; {own}",
        ),
    ]


def _worker_rows(holes: Sequence[Hole]) -> list[Row]:
    recording, lost = [hole.recording_s for hole in holes], [hole.lost_s for hole in holes]
    kills = f"worst of {WORKER_KILLS} kills with {CAMERAS} cameras, median"
    return [
        Row(
            "worker killed: recording again",
            max(recording),
            "s",
            5.0,
            f"{kills} {statistics.median(recording):.2f} s",
        ),
        Row(
            "worker killed: video lost before it",
            max(lost),
            "s",
            note=f"{kills} {statistics.median(lost):.2f} s",
        ),
    ]
