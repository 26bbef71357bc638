"""Recording 16 cameras for ten minutes: not one picture is lost, and neither cost nor memory grows."""

import time
from datetime import UTC, datetime

from tests.bench.house import House, wait_for
from tests.bench.ledgers import completeness, gaps_since, streams_of
from tests.bench.process_cost import ProcessCost
from tests.bench.process_cost import measure as cost_of
from tests.bench.recording import CAMERA, CAMERAS
from tests.bench.report import Row
from tests.farm import Farm

_WARM_UP_S = 20.0
_TIMEOUT_S = 60.0
_UNREAD_US = 500_000
_PARTS = 5
_MB = 1e6


def measure(minutes: float = 10) -> list[Row]:
    """Record for so many minutes."""
    with (
        Farm([CAMERA] * CAMERAS, in_process=True) as farm,
        House([camera.url() for camera in farm.cameras]) as house,
    ):
        began = datetime.now(UTC)
        capture = house.start_capture()
        wait_for("footage of all cameras", lambda: _recorded(house) == CAMERAS, timeout_s=_TIMEOUT_S)
        time.sleep(_WARM_UP_S)
        parts = [cost_of([capture.pid], 60 * minutes / _PARTS) for _ in range(_PARTS)]
        until_us = time.time_ns() // 1000 - _UNREAD_US
        gaps = gaps_since(house, began)
        house.stop(capture)
        found = [completeness(house, stream, began, until_us) for stream in streams_of(house, farm.cameras)]
    lost, expected = sum(each.lost for each in found), sum(each.expected for each in found)
    return [
        Row(
            "frames lost",
            lost,
            "",
            goal=0,
            note=f"of {expected} in {minutes:g} minutes; gaps: {gaps or 'none'}",
        ),
        Row("CPU per camera", 100 * _cpu(parts) / CAMERAS, "% of a core", note=_each(parts)),
        Row(
            "memory, last part against first",
            100 * (parts[-1].pss_bytes / parts[0].pss_bytes - 1),
            "%",
            goal=5,
            note=f"{parts[0].pss_bytes / _MB:.0f} to {parts[-1].pss_bytes / _MB:.0f} MB in all",
        ),
    ]


def _recorded(house: House) -> int:
    query = "SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0"
    return int(house.rows(query)[0][0])


def _cpu(parts: list[ProcessCost]) -> float:
    return sum(part.cpu_share for part in parts) / len(parts)


def _each(parts: list[ProcessCost]) -> str:
    return "fifths: " + ", ".join(f"{100 * part.cpu_share / CAMERAS:.2f}" for part in parts)
