"""True time: the UTC code in each picture of virtual cameras against the time that its segment gives it.

Cameras with sender reports, and beside them some without, which are told by their arrivals alone. Both clocks
are this machine's, so every difference is an error; it must stay below the bound that the segment states.
"""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av

from omma_engine.types import SourceKind
from tests.bench.report import Row
from tests.engine.capture.driving import Child, ZygoteDriver, source_spec
from tests.engine.coded import make_volume
from tests.farm import CameraHandle, CameraSpec, Farm
from tests.farm.ledger import code_of_frame

SECONDS = 60.0
SEGMENT_S = 20
_REPORTING = CameraSpec(width=320, height=240, fps=15)
_SILENT = replace(_REPORTING, sender_reports=False)
CAMERAS = [*[_REPORTING] * 8, *[_SILENT] * 4]
_OVER_UDP = frozenset({6, 7, 11})
_GOAL_MS = 20.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture: how wrong its time is, and what its segment says it is at most. Microseconds."""

    error_us: int
    bound_us: int


def measure() -> list[Row]:
    """Record for a minute, then read every picture's code and time from the files."""
    reporting: list[Reading] = []
    silent: list[Reading] = []
    with Farm(CAMERAS, in_process=True) as farm, tempfile.TemporaryDirectory() as folder:
        root = make_volume(Path(folder))
        with ZygoteDriver(root) as zygote:
            children = [_start(zygote, camera, root) for camera in farm.cameras]
            children[0].listen_for(SECONDS, others=children[1:])
            for child in children:
                child.tell({"do": "stop"})
            for child in children:
                child.wait_gone()
                zygote.hear()
        for camera, child in zip(farm.cameras, children, strict=True):
            found = reporting if camera.spec.sender_reports else silent
            found.extend(_readings(child, root))
    return [*_rows("with sender reports", reporting, goal_ms=_GOAL_MS), *_rows("by arrival", silent)]


def _start(zygote: ZygoteDriver, camera: CameraHandle, root: Path) -> Child:
    child = zygote.fork(str(camera.number))
    transport = "udp" if camera.number in _OVER_UDP else "tcp"
    child.start(
        source_spec(
            root, SourceKind.RTSP, camera.url(), segment_s=SEGMENT_S, numeric_host="127.0.0.1",
            transport=transport,
        )
    )  # fmt: skip
    return child


def _readings(child: Child, root: Path) -> Iterator[Reading]:
    bounds = {news["segment_id"]: news["error_us"] for news in child.news("segment_progress")}
    for news in child.news("segment_open"):
        yield from _readings_of(root / news["path"], news["start_us"], bounds[news["segment_id"]])


def _readings_of(path: Path, start_us: int, bound_us: int) -> Iterator[Reading]:
    with av.open(str(path), timeout=(5.0, 5.0)) as container:
        for frame in container.decode(video=0):
            code = code_of_frame(frame)
            if code is not None and frame.pts is not None and frame.time_base is not None:
                told_us = start_us + int(frame.pts * frame.time_base * 1_000_000)
                yield Reading(told_us - code.utc_us, bound_us)


def _rows(name: str, readings: Sequence[Reading], *, goal_ms: float | None = None) -> list[Row]:
    errors_ms = sorted(abs(reading.error_us) / 1000 for reading in readings)
    p50, p95, p99 = (_percentile(errors_ms, share) for share in (0.50, 0.95, 0.99))
    outside = sum(abs(reading.error_us) > reading.bound_us for reading in readings)
    bounds_ms = statistics.median(reading.bound_us for reading in readings) / 1000
    mean_ms = statistics.fmean(reading.error_us for reading in readings) / 1000
    spread = f"p50 {p50:.2f}, p99 {p99:.2f}, worst {errors_ms[-1]:.2f}, mean {mean_ms:+.2f}"
    return [
        Row(f"error of 95 % of pictures, {name}", p95, "ms", goal=goal_ms, note=spread),
        Row(
            f"pictures outside the stated bound, {name}",
            100 * outside / len(readings),
            "%",
            goal=0,
            note=f"{outside} of {len(readings)}; the bound is {bounds_ms:.1f} ms in the middle",
        ),
    ]


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
