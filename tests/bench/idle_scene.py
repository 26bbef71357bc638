"""What a quiet camera costs that people and motion watch, on top of being recorded."""

import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.house import House, wait_for
from tests.bench.process_cost import ProcessCost, family_of
from tests.bench.process_cost import measure as cost_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm

# The yard, before anybody comes: nothing changes but the counter in the corner.
CAMERA = CameraSpec(mode="loop", width=1920, height=1080, fps=30, bitrate=4_000_000, scene="yard", loop_s=2.0)
CAMERAS = 4
CPU_GOAL = 2.0
_SETTLE_S = 15.0
_RECORDING_S = 10.0
_WINDOW_S = 30.0  # a quiet scene is looked at by every detector each 10 s
_TIMEOUT_S = 45.0
_MB = 1e6


def measure() -> list[Row]:
    """Record the cameras, first alone, then with the default analytics running."""
    with (
        Farm([CAMERA] * CAMERAS, in_process=True) as farm,
        House([camera.url() for camera in farm.cameras]) as house,
    ):
        began = datetime.now(UTC)
        capture = house.start_capture()
        wait_for("footage", lambda: _recorded(house, began) == CAMERAS, timeout_s=_TIMEOUT_S)
        time.sleep(_SETTLE_S)
        alone = cost_of([capture.pid], _RECORDING_S)
        inference = house.start_inference()
        wait_for("model host", lambda: _hosts(inference.pid), timeout_s=_TIMEOUT_S)
        time.sleep(_SETTLE_S)
        watched: list[ProcessCost] = []
        cost = cost_of(
            [inference.pid], _WINDOW_S, wait=lambda seconds: watched.append(cost_of([capture.pid], seconds))
        )
        host = cost.only(_hosts(inference.pid))
        running = house.rows("SELECT count(*) FROM inference_analytic WHERE status = 'running'")[0][0]
    return _rows(alone, watched[0], host, cost, running)


def _recorded(house: House, since: datetime) -> int:
    query = "SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0 AND start >= %s"
    return int(house.rows(query, (since,))[0][0])


def _hosts(root: int) -> set[int]:
    return {pid for pid in family_of([root]) if b"omma_engine.inference.host" in _command_of(pid)}


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _rows(
    alone: ProcessCost, watched: ProcessCost, host: ProcessCost, inference: ProcessCost, running: int
) -> list[Row]:
    added = 100 * (watched.cpu_share - alone.cpu_share) / CAMERAS
    host_share = 100 * host.cpu_share / CAMERAS
    supervisor = 100 * (inference.cpu_share - host.cpu_share)
    return [
        Row(
            "quiet camera: model host",
            host_share,
            "% of a core",
            CPU_GOAL,
            note=f"per camera at {CAMERA.width}x{CAMERA.height} and {CAMERA.fps} pictures a second; "
            f"{running} analytics run on {CAMERAS} cameras",
        ),
        Row("quiet camera: added to capture", added, "% of a core", note="per camera, for feeding the bus"),
        Row("model host: memory", host.pss_bytes / _MB, "MB", note=f"PSS, {host.processes} process"),
        Row("inference supervisor", supervisor, "% of a core", note="for all analytics"),
    ]
