"""A soak: two flapping cameras beside eight healthy ones, in one supervisor.

The healthy ones must lose nothing, and memory and descriptors of supervisor, zygote and children stay flat:
the slope is a line through samples after the warm-up, of what there is in all processes together.
"""

import os
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import RecordedStream, completeness, gaps_since, streams_of
from tests.bench.report import Row
from tests.farm import CameraHandle, CameraSpec, Farm

CAMERA = CameraSpec(mode="loop", width=640, height=360, fps=15, bitrate=600_000)
HEALTHY, FLAPPING = 8, 2
EVERY_S, AWAY_S = 10.0, (0.2, 4.0)
_SAMPLE_S = 2.0
_WARM_UP_SHARE = 0.34
_START_TIMEOUT_S = 60.0
_UNREAD_US = 1_500_000  # what was made so shortly before the end may be on its way
_MB = 1e6
_SEED = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What all processes of the supervisor hold at one moment, `at_s` after the soak began."""

    at_s: float
    pss_bytes: int
    descriptors: int
    threads: int
    processes: int


def measure(minutes: float = 15) -> list[Row]:
    """Soak for so many minutes."""
    chance = random.Random(_SEED)
    with ExitStack() as stack:
        farm = stack.enter_context(Farm([CAMERA] * (HEALTHY + FLAPPING), in_process=True))
        house = stack.enter_context(House([camera.url() for camera in farm.cameras]))
        began = datetime.now(UTC)
        supervisor = house.start_capture()
        wait_for("footage of all cameras", lambda: _are_durable(house), timeout_s=_START_TIMEOUT_S)
        samples, flaps = _soaked(supervisor, farm.cameras[HEALTHY:], 60 * minutes, chance)
        until_us = time.time_ns() // 1000 - _UNREAD_US
        time.sleep(3)  # the last syncs reach the database
        gaps = gaps_since(house, began)
        streams = streams_of(house, farm.cameras)
        healthy = [stream for stream in streams if stream.camera.number < HEALTHY]
        lost, expected = _lost(house, healthy, began, until_us)
        restarts = _restarts(house, healthy)
    return [
        Row("pictures of healthy cameras lost", lost, "", goal=0, note=f"of {expected}; all gaps: {gaps}"),
        Row(
            "restarts of healthy cameras' processes", restarts, "", goal=0, note=f"{flaps} flaps beside them"
        ),
        *_slopes(samples),
    ]


def _soaked(
    supervisor: Process, flapping: Sequence[CameraHandle], seconds: float, chance: random.Random
) -> tuple[list[Sample], int]:
    samples: list[Sample] = []
    began_s = time.monotonic()
    due_s, flaps = [began_s + chance.uniform(0, EVERY_S) for _ in flapping], 0
    while (now_s := time.monotonic()) - began_s < seconds:
        for number, camera in enumerate(flapping):
            if now_s >= due_s[number]:
                camera.restart(chance.uniform(*AWAY_S))
                due_s[number], flaps = now_s + EVERY_S, flaps + 1
        samples.append(_sample(supervisor.pid, now_s - began_s))
        time.sleep(_SAMPLE_S)
    return samples, flaps


def _sample(pid: int, at_s: float) -> Sample:
    top = psutil.Process(pid)
    pss = descriptors = threads = processes = 0
    for process in [top, *top.children(recursive=True)]:
        try:
            pss += process.memory_full_info().pss
            descriptors += len(os.listdir(f"/proc/{process.pid}/fd"))  # noqa: PTH208 (counted, not walked)
            threads += process.num_threads()
        except (psutil.NoSuchProcess, FileNotFoundError):
            continue
        processes += 1
    return Sample(at_s, pss, descriptors, threads, processes)


def _are_durable(house: House) -> bool:
    rows = house.rows("SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0")
    return bool(rows[0][0] == HEALTHY + FLAPPING)


def _lost(house: House, streams: Sequence[RecordedStream], since: datetime, until_us: int) -> tuple[int, int]:
    found = [completeness(house, stream, since, until_us) for stream in streams]
    return sum(each.lost for each in found), sum(each.expected for each in found)


def _restarts(house: House, streams: Sequence[RecordedStream]) -> int:
    """Return how many lives more than one each source had: every life has an epoch of its own."""
    lives = house.rows("SELECT stream_id, count(DISTINCT epoch) FROM streams_segment GROUP BY stream_id")
    own = {stream.stream_id for stream in streams}
    return sum(count - 1 for stream_id, count in lives if stream_id in own)


def _slopes(samples: Sequence[Sample]) -> list[Row]:
    settled = [sample for sample in samples if sample.at_s >= _WARM_UP_SHARE * samples[-1].at_s]
    hours = [sample.at_s / 3600 for sample in settled]
    memory = statistics.linear_regression(hours, [sample.pss_bytes / _MB for sample in settled]).slope
    descriptors = statistics.linear_regression(hours, [sample.descriptors for sample in settled]).slope
    thirds = settled[: len(settled) // 3], settled[-(len(settled) // 3) :]
    before, after = (statistics.mean(sample.pss_bytes for sample in part) / _MB for part in thirds)
    first, last = settled[0], settled[-1]
    return [
        Row(
            "memory, last third against first",
            100 * (after / before - 1),
            "%",
            goal=5,
            note=f"{before:.1f} to {after:.1f} MB in all; slope {memory:+.1f} MB an hour",
        ),
        Row(
            "descriptors, most at the end against the beginning",
            max(sample.descriptors for sample in thirds[1]) - max(sample.descriptors for sample in thirds[0]),
            "",
            goal=4,
            note=f"{first.descriptors} to {last.descriptors}; slope {descriptors:+.0f} an hour",
        ),
        Row(
            "threads and processes at the end",
            last.threads,
            "",
            note=f"{first.threads} threads in the beginning; {first.processes} to {last.processes} processes",
        ),
    ]
