"""Reconnecting again and again: descriptors, threads and memory stay what they were."""

import gc
import os
import resource
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omma_engine.sources.base import packet_source
from omma_engine.types import RecordMode, SourceKind, SourceSpec, StreamSpec
from tests.farm import CameraSpec, Farm
from tests.faults.plugin import FaultReport

CAMERA = CameraSpec(mode="loop", width=160, height=120, fps=60, gop_s=1 / 60, loop_s=1.0)
SPARE_DESCRIPTORS = 40
_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def few_descriptors() -> Iterator[None]:
    """Let this process open only a few files more than it has open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_files()) + SPARE_DESCRIPTORS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files() -> set[int]:
    return {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def connect_and_leave(url: str, times: int) -> None:
    stream = StreamSpec(uuid.uuid4(), "main", RecordMode.OFF, Path("/nowhere"))
    for _ in range(times):
        spec = SourceSpec(
            uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), SourceKind.RTSP, url, (stream,), "127.0.0.1", {}
        )
        source = packet_source(spec)
        source.open()
        source.read().unpack()
        source.close()


def measure(url: str, times: int, *, warm_up: int = 20) -> tuple[int, int, int]:
    """Return how many descriptors, threads and bytes came on top by so many connections."""
    connect_and_leave(url, warm_up)  # what is loaded once is loaded
    gc.collect()
    files, threads, size = len(open_files()), threading.active_count(), resident_bytes()
    connect_and_leave(url, times)
    gc.collect()
    return len(open_files()) - files, threading.active_count() - threads, resident_bytes() - size


@pytest.mark.fault("F37")
def test_reconnecting_leaves_no_descriptor_and_no_thread() -> None:
    with Farm([CAMERA], in_process=True) as farm, few_descriptors():
        files, threads, _ = measure(farm.url(0), 15, warm_up=5)

    assert files <= 2
    assert threads == 0


@pytest.mark.fault("F37", "F38")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_reconnections_leave_nothing(fault_report: FaultReport) -> None:
    with Farm([CAMERA], in_process=True) as farm, few_descriptors():
        first = measure(farm.url(0), 1000)
        second = measure(farm.url(0), 1000)

    fault_report.note(f"after 1,000 reconnections {second[2] / 1024:.0f} KiB more")
    assert max(first[0], second[0]) <= 2
    assert first[1] == second[1] == 0
    assert second[2] < 1024 * 1024  # a kilobyte for each would be a leak
