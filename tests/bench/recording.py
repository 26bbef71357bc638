"""Recording 16 cameras against 16 times `ffmpeg -c copy -f segment`, side by side in one run."""

import shutil
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import Completeness, RecordedStream, completeness, gaps_since, streams_of
from tests.bench.process_cost import ProcessCost
from tests.bench.process_cost import measure as cost_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=1920, height=1080, fps=30, bitrate=4_000_000)
CAMERAS = 16
CPU_GOAL, MEMORY_GOAL = 1.0, 0.5
ROUNDS = 2
WINDOW_S = 20.0
_WARM_UP_S = 20.0
_FFMPEG_WARM_UP_S = 10.0  # it has nothing to warm up but its buffers
_WORKER_WINDOW_S = 10.0
_START_TIMEOUT_S = 45.0
_UNREAD_US = 500_000  # what was made so shortly before the end may be on its way
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Window:
    """What one side cost in one window, and what of the cameras' pictures it missed."""

    cost: ProcessCost
    supervisor_pid: int = 0
    database: ProcessCost | None = None
    completeness: tuple[Completeness, ...] = ()
    gaps: str = ""


def measure() -> list[Row]:
    """Alternate the two sides; then measure the Celery worker that holds the supervisor in the tree."""
    has_ffmpeg = shutil.which("ffmpeg") is not None
    with Farm([CAMERA] * CAMERAS, in_process=True) as farm:
        addresses = [camera.url() for camera in farm.cameras]
        with House(addresses) as house:
            streams = streams_of(house, farm.cameras)
            assert len(streams) == CAMERAS
            ours: list[Window] = []
            theirs: list[Window] = []
            for _ in range(ROUNDS):
                ours.append(_recorded(house, streams, house.start_capture()))
                if has_ffmpeg:
                    theirs.append(_copied(house, addresses))
            worker = house.start_worker("capture")
            in_worker = _recorded(house, streams, worker, window_s=_WORKER_WINDOW_S)
    return [*_rows_of(ours, theirs), *_worker_rows(in_worker), *_detail_rows(ours)]


def _recorded(
    house: House, streams: Sequence[RecordedStream], process: Process, *, window_s: float = WINDOW_S
) -> Window:
    """Let a supervisor record all cameras, and measure when it has for a while."""
    began = datetime.now(UTC)
    warm_at_s = time.monotonic() + _WARM_UP_S
    wait_for("footage of all cameras", lambda: _are_durable(house, began), timeout_s=_START_TIMEOUT_S)
    time.sleep(max(0.0, warm_at_s - time.monotonic()))
    database: list[ProcessCost] = []
    cost = cost_of(
        [process.pid], window_s, wait=lambda seconds: database.append(cost_of([house.postgres_pid], seconds))
    )
    until_us = time.time_ns() // 1000 - _UNREAD_US
    gaps = gaps_since(house, began)
    house.stop(process)
    found = tuple(completeness(house, stream, began, until_us) for stream in streams)
    return Window(cost, process.pid, database[0], found, gaps)


def _are_durable(house: House, since: datetime) -> bool:
    rows = house.rows(
        "SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0 AND start >= %s",
        (since,),
    )
    return bool(rows[0][0] == CAMERAS)


def _copied(house: House, addresses: Sequence[str]) -> Window:
    """Let one FFmpeg per camera copy it into files of a minute."""
    folder = house.folder / f"ffmpeg-{time.monotonic_ns()}"
    folder.mkdir()
    processes = [
        house.start(f"ffmpeg-{number}", _ffmpeg(address, folder / f"{number}-%05d.mp4"))
        for number, address in enumerate(addresses)
    ]
    time.sleep(_FFMPEG_WARM_UP_S)
    cost = cost_of([process.pid for process in processes], WINDOW_S)
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        house.stop(process)
    assert cost.processes == len(addresses), "an ffmpeg ended early"
    assert len(list(folder.iterdir())) >= len(addresses), "an ffmpeg wrote nothing"
    return Window(cost)


def _ffmpeg(address: str, pattern: Path) -> list[str]:
    program = shutil.which("ffmpeg")
    assert program is not None
    return [
        program, "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", address,
        "-c", "copy", "-f", "segment", "-segment_time", "60", str(pattern),
    ]  # fmt: skip


def _rows_of(ours: Sequence[Window], theirs: Sequence[Window]) -> list[Row]:
    cpu, memory = _cpu(ours), _memory(ours)
    missing = "not run: no ffmpeg on this machine"
    their_cpu, their_memory = (_cpu(theirs), _memory(theirs)) if theirs else (None, None)
    everything = [each for window in ours for each in window.completeness]
    gaps = "; gaps: ".join(["", *(window.gaps for window in ours if window.gaps)])
    return [
        _ratio("CPU against ffmpeg", cpu, their_cpu, goal=CPU_GOAL, missing=missing),
        _ratio("memory against ffmpeg", memory, their_memory, goal=MEMORY_GOAL, missing=missing),
        Row(
            "frames lost",
            sum(each.lost for each in everything),
            "",
            goal=0,
            note=f"of {sum(each.expected for each in everything)} in the cameras' ledgers{gaps}",
        ),
        Row("CPU per camera", cpu, "% of a core", note=_spread(ours)),
        Row("CPU per camera, ffmpeg", their_cpu, "% of a core", note=_spread(theirs) if theirs else missing),
        Row("memory per camera", memory, "MB", note="PSS, supervisor and zygote included"),
        Row("memory per camera, ffmpeg", their_memory, "MB", note="PSS" if theirs else missing),
    ]


def _ratio(name: str, ours: float, theirs: float | None, *, goal: float, missing: str) -> Row:
    if theirs is None:
        return Row(name, None, "x", goal=goal, note=missing)
    return Row(name, ours / theirs, "x", goal=goal, note=f"{CAMERAS} cameras, {ROUNDS} windows each")


def _cpu(windows: Sequence[Window]) -> float:
    return 100 * statistics.mean(window.cost.cpu_share for window in windows) / CAMERAS


def _memory(windows: Sequence[Window]) -> float:
    return statistics.mean(window.cost.pss_bytes for window in windows) / _MB / CAMERAS


def _spread(windows: Sequence[Window]) -> str:
    shares = ", ".join(f"{100 * window.cost.cpu_share / CAMERAS:.2f}" for window in windows)
    return f"windows: {shares}"


def _worker_rows(window: Window) -> list[Row]:
    """Print what it is in the tree, where a Celery worker holds the supervisor."""
    alone = window.cost.only({window.supervisor_pid})
    return [
        Row(
            "CPU per camera, in the Celery worker",
            _cpu([window]),
            "% of a core",
            note=f"the worker's own process {100 * alone.cpu_share:.1f} % of a core for all",
        ),
        Row(
            "memory per camera, in the Celery worker",
            _memory([window]),
            "MB",
            note=f"the worker's own process {alone.pss_bytes / _MB:.0f} MB",
        ),
    ]


def _detail_rows(ours: Sequence[Window]) -> list[Row]:
    """Print which processes the cost is in."""
    supervisor = [window.cost.only({window.supervisor_pid}) for window in ours]
    children = [window.cost.only(window.cost.by_pid.keys() - {window.supervisor_pid}) for window in ours]
    database = [window.database for window in ours if window.database is not None]
    return [
        Row("supervisor", *_figures(supervisor), note="of the whole"),
        Row("zygote and children, per camera", *_figures(children, CAMERAS)),
        Row("database", *_figures(database), note="commits for all cameras; counted on neither side"),
    ]


def _figures(costs: Sequence[ProcessCost], share: int = 1) -> tuple[float, str]:
    cpu = 100 * statistics.mean(cost.cpu_share for cost in costs) / share
    memory = statistics.mean(cost.pss_bytes for cost in costs) / _MB / share
    return cpu, f"% of a core, {memory:.1f} MB"
