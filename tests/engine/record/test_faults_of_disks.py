"""Full, small, read-only and vanished disks under a recorder: whole fragments, honest gaps, another volume.

The mounts are in a namespace of each test's own.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omma_engine.record.index import read_index
from tests.engine.coded import START_US, decoded_numbers, stamped
from tests.engine.record.recording import Recording
from tests.faults.mounts import in_own_mounts, mount_ext4, mount_tmpfs, run
from tests.faults.plugin import FaultReport

FRAMES = 100


def feed_until_trouble(
    recording: Recording, trouble: Callable[[], None], *, after: int = 45
) -> dict[str, Any]:
    """Feed ten seconds with the trouble at four and a half, and return what came of it."""
    packets = stamped(FRAMES)
    recording.feed(packets[:after])
    trouble()
    recording.feed(packets[after:])
    recording.recorder.finish()
    return told(recording)


def told(recording: Recording) -> dict[str, Any]:
    roots = {recording.id_of(name): root for name, root in recording.roots.items()}
    opened = recording.of_kind("segment_open")
    files = [roots[one["volume_id"]] / one["path"] for one in opened]
    closed = {one["segment_id"]: one for one in recording.of_kind("segment_close")}
    return {
        "volumes": [roots[one["volume_id"]].name for one in opened],
        "pictures": sorted({n for file in files if file.exists() for n in decoded_numbers(file)}),
        "whole": [
            read_index(file).whole_bytes == closed[one["segment_id"]]["durable_bytes"] == file.stat().st_size
            for file, one in zip(files, opened, strict=True)
            if file.exists()
        ],
        "gaps": [(one["cause"], one["start_us"], one["end_us"]) for one in recording.of_kind("gap")],
        "kept_us": [(one["start_us"], closed[one["segment_id"]]["end_us"]) for one in opened],
    }


def holes_s(found: dict[str, Any]) -> list[float]:
    ends = {start: end for _, start, end in found["gaps"] if end is not None}
    return [(end - start) / 1e6 for start, end in ends.items()]


def all_time_is_told(found: dict[str, Any]) -> None:
    spans = sorted([*found["kept_us"], *((a, b) for _, a, b in found["gaps"] if b is not None)])
    at_us = START_US
    for start_us, end_us in spans:
        assert start_us <= at_us + 200_000
        at_us = max(at_us, end_us)


@pytest.mark.fault("F20")
def test_a_full_disk_ends_the_file_at_a_whole_fragment_and_another_takes_over(
    tmp_path: Path, fault_report: FaultReport
) -> None:
    def inside() -> dict[str, Any]:
        mount_tmpfs(tmp_path / "small", size_kb=256)
        recording = Recording(tmp_path / "small", frames=FRAMES, segment_s=5, others=[tmp_path / "large"])
        return feed_until_trouble(recording, lambda: _fill_up(tmp_path / "small"))

    found = in_own_mounts(inside)

    assert {"small", "large"} == set(found["volumes"])
    assert found["volumes"][-1] == "large"
    assert all(found["whole"])
    assert {cause for cause, _, _ in found["gaps"]} == {"disk"}
    all_time_is_told(found)
    fault_report.hole(max(holes_s(found)))


@pytest.mark.fault("F20")
def test_a_full_disk_alone_is_tried_again_and_records_when_there_is_room(
    tmp_path: Path, fault_report: FaultReport
) -> None:
    def inside() -> dict[str, Any]:
        mount_tmpfs(tmp_path / "small", size_kb=512)
        recording = Recording(tmp_path / "small", frames=FRAMES, segment_s=5)
        packets = stamped(FRAMES)
        recording.feed(packets[:25])
        _fill_up(tmp_path / "small")
        recording.feed(packets[25:65])
        (tmp_path / "small" / "ballast").unlink()
        recording.feed(packets[65:])
        recording.recorder.finish()
        return told(recording)

    found = in_own_mounts(inside)

    assert all(found["whole"])
    assert found["pictures"][-1] == FRAMES - 1
    assert {cause for cause, _, _ in found["gaps"]} == {"disk"}
    all_time_is_told(found)
    fault_report.hole(max(holes_s(found)))


@pytest.mark.fault("F21")
def test_a_disk_without_inodes_is_left_for_another(tmp_path: Path, fault_report: FaultReport) -> None:
    def inside() -> dict[str, Any]:
        mount_ext4(tmp_path / "small", size_mb=8, files=32)
        recording = Recording(tmp_path / "small", frames=FRAMES, segment_s=5, others=[tmp_path / "large"])
        return feed_until_trouble(recording, lambda: _use_up_inodes(tmp_path / "small"))

    found = in_own_mounts(inside)

    assert (found["volumes"][0], found["volumes"][-1]) == ("small", "large")
    assert all(found["whole"])
    assert found["pictures"] == list(range(FRAMES))
    fault_report.hole(max(holes_s(found), default=0.0))


def _turn_read_only(root: Path) -> None:
    """Refuse new files; one that is being written keeps its own mount from turning, so another goes above."""
    run("mount", "--bind", str(root), str(root))
    run("mount", "-o", "remount,ro,bind", str(root))


def _fill_up(root: Path) -> None:
    with (root / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"\0" * 4096)


def _use_up_inodes(root: Path) -> None:
    for number in range(64):
        try:
            (root / f"ballast-{number}").touch()
        except OSError:
            return


@pytest.mark.fault("F22")
def test_a_disk_that_turns_read_only_is_left_for_another(tmp_path: Path, fault_report: FaultReport) -> None:
    def inside() -> dict[str, Any]:
        mount_tmpfs(tmp_path / "small", size_kb=4096)
        recording = Recording(tmp_path / "small", frames=FRAMES, segment_s=5, others=[tmp_path / "large"])
        return feed_until_trouble(recording, lambda: _turn_read_only(tmp_path / "small"))

    found = in_own_mounts(inside)

    assert (found["volumes"][0], found["volumes"][-1]) == ("small", "large")
    assert all(found["whole"])
    all_time_is_told(found)
    fault_report.hole(max(holes_s(found), default=0.0))


@pytest.mark.fault("F22")
def test_a_disk_that_is_unmounted_gets_no_byte_below_its_mount_point(
    tmp_path: Path, fault_report: FaultReport
) -> None:
    def inside() -> tuple[dict[str, Any], list[str]]:
        mount_tmpfs(tmp_path / "small", size_kb=4096)
        recording = Recording(tmp_path / "small", frames=FRAMES, segment_s=5, others=[tmp_path / "large"])
        found = feed_until_trouble(recording, lambda: run("umount", "-l", str(tmp_path / "small")))
        return found, [str(one) for one in (tmp_path / "small").rglob("*")]

    found, below = in_own_mounts(inside)

    assert below == []
    assert found["volumes"][-1] == "large"
    assert found["pictures"][-1] == FRAMES - 1
    gap_ends = [end for _, _, end in found["gaps"]]
    assert gap_ends[-1] is not None
    fault_report.hole(max(holes_s(found)))
    lost_sight_s = (gap_ends[-1] - (START_US + 4_500_000)) / 1e6
    fault_report.note(f"on another volume {lost_sight_s:.1f} s after the unmount")
    assert lost_sight_s <= 5.0
