"""A disk that fails: the file ends at its last whole fragment, a gap says so, and recording comes back."""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omma_engine.errors import StorageError
from omma_engine.record.index import read_index
from omma_engine.record.volume import IDENTITY_FILE, Volume
from omma_engine.types import VolumeSpec
from tests.engine.coded import START_US, decoded_numbers, make_volume, stamped
from tests.engine.record.recording import Recording


class FailingDisk:
    """Makes `os.write` or `os.fdatasync` fail while it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.write_error = 0
        self.sync_error = 0
        self._write, self._sync = os.write, os.fdatasync
        monkeypatch.setattr(os, "write", self._do_write)
        monkeypatch.setattr(os, "fdatasync", self._do_sync)

    def _do_write(self, descriptor: int, data: Any) -> int:
        if self.write_error and len(data) > 100:
            self._write(descriptor, bytes(data[:50]))  # a full disk takes some of it
            raise OSError(self.write_error, os.strerror(self.write_error))
        return self._write(descriptor, data)

    def _do_sync(self, descriptor: int) -> None:
        if self.sync_error:
            raise OSError(self.sync_error, os.strerror(self.sync_error))
        self._sync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingDisk]:
    disk = FailingDisk(monkeypatch)
    yield disk
    disk.write_error = disk.sync_error = 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_no_more_ends_the_file_at_its_last_whole_fragment(
    tmp_path: Path, disk: FailingDisk, number: int
) -> None:
    recording = Recording(tmp_path, frames=60)
    packets = stamped(60)

    recording.feed(packets[:25])
    disk.write_error = number
    recording.feed(packets[25:40])
    disk.write_error = 0
    recording.feed(packets[40:])
    recording.recorder.finish()

    first, second = recording.files()
    damaged, whole = recording.of_kind("segment_close")
    index = read_index(first)
    assert first.stat().st_size == damaged["durable_bytes"] == index.whole_bytes
    assert decoded_numbers(first) == list(range(index.frame_count))
    assert (damaged["is_damaged"], whole["is_damaged"]) == (True, False)
    opened, closed = recording.of_kind("gap")
    assert (opened["cause"], opened["start_us"], opened["end_us"]) == ("disk", damaged["end_us"], None)
    assert closed["end_us"] == recording.of_kind("segment_open")[1]["start_us"]
    assert decoded_numbers(second) == list(range((closed["end_us"] - START_US) // 100_000, 60))


@pytest.mark.fault("F24")
def test_after_a_failed_sync_nothing_more_is_called_durable(tmp_path: Path, disk: FailingDisk) -> None:
    recording = Recording(tmp_path, frames=60)
    packets = stamped(60)

    recording.feed(packets[:25])
    said = recording.of_kind("segment_progress")[-1]["durable_bytes"]
    disk.sync_error = errno.EIO
    recording.feed(packets[25:50])

    (closed,) = recording.of_kind("segment_close")
    assert (closed["durable_bytes"], closed["is_damaged"]) == (said, True)
    assert recording.files()[0].stat().st_size == said
    assert [gap["cause"] for gap in recording.of_kind("gap")] == ["disk"]
    (failure,) = recording.of_kind("volume")  # said once, however often it is tried again
    assert failure["volume_id"] == recording.id_of(tmp_path.name)


def test_a_full_disk_is_no_failing_one(tmp_path: Path, disk: FailingDisk) -> None:
    recording = Recording(tmp_path)
    disk.write_error = errno.ENOSPC
    recording.feed(stamped(20))

    assert recording.of_kind("gap")
    assert recording.of_kind("volume") == []


def test_a_disk_that_fails_before_the_first_sync_leaves_no_file_and_no_news(
    tmp_path: Path, disk: FailingDisk
) -> None:
    recording = Recording(tmp_path)
    disk.sync_error = errno.ENOSPC

    recording.feed(stamped(20))

    assert recording.of_kind("segment_open") == []
    assert list(tmp_path.rglob("*.mp4")) == []


def test_a_volume_that_went_away_takes_no_byte(tmp_path: Path) -> None:
    recording = Recording(tmp_path, segment_s=1, frames=40)
    packets = stamped(40)
    recording.feed(packets[:20])
    (tmp_path / IDENTITY_FILE).rename(tmp_path / "away")

    recording.feed(packets[20:])
    recording.recorder.finish()

    assert len(recording.files()) == 2
    assert recording.of_kind("gap")[0]["cause"] == "disk"
    assert recording.of_kind("gap")[0]["start_us"] == START_US + 2_000_000


def test_another_volume_in_its_place_is_refused(tmp_path: Path) -> None:
    volume = Volume(make_volume(tmp_path))
    first = volume.check()
    (tmp_path / IDENTITY_FILE).write_text(json.dumps({"volume_id": "another", "format": 1}))

    with pytest.raises(StorageError, match="another volume is mounted"):
        volume.check()
    make_volume(tmp_path)

    assert first != "another"


def test_another_volume_takes_over_where_the_wanted_one_fails(tmp_path: Path, disk: FailingDisk) -> None:
    recording = Recording(tmp_path / "a", frames=60, others=[tmp_path / "b"])
    packets = stamped(60)

    recording.feed(packets[:25])
    disk.write_error = errno.ENOSPC
    recording.feed(packets[25:26])
    disk.write_error = 0
    recording.feed(packets[26:])
    recording.recorder.finish()

    first, second = recording.of_kind("segment_open")
    damaged = recording.of_kind("segment_close")[0]
    gap = recording.of_kind("gap")[-1]
    assert (first["volume_id"], second["volume_id"]) == (recording.id_of("a"), recording.id_of("b"))
    assert (gap["cause"], gap["start_us"]) == ("disk", damaged["end_us"])
    assert gap["end_us"] == second["start_us"]
    assert second["start_us"] - damaged["end_us"] <= 2_000_000
    assert decoded_numbers(tmp_path / "b" / second["path"])[-1] == 59


def test_a_volume_that_is_not_the_expected_one_is_passed_over(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a", frames=20, others=[tmp_path / "b"])
    (tmp_path / "a" / IDENTITY_FILE).write_text(json.dumps({"volume_id": "another", "format": 1}))

    recording.feed(stamped(20))
    recording.recorder.finish()

    (opened,) = recording.of_kind("segment_open")
    assert opened["volume_id"] == recording.id_of("b")
    assert recording.of_kind("gap") == []
    assert list((tmp_path / "a").rglob("*.mp4")) == []


def test_a_segment_on_a_device_that_went_away_ends_at_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(tmp_path / "a", frames=60, others=[tmp_path / "b"])
    packets = stamped(60)
    recording.feed(packets[:25])

    def gone(volume: Volume) -> None:
        if volume.root.name == "a":
            raise StorageError("the volume a was unmounted")

    monkeypatch.setattr(Volume, "require_same_device", gone)
    recording.feed(packets[25:])
    recording.recorder.finish()

    assert [each["volume_id"] for each in recording.of_kind("segment_open")] == [
        recording.id_of("a"),
        recording.id_of("b"),
    ]
    assert "unmounted" in recording.of_kind("gap")[0]["detail"]


def test_a_volume_that_is_left_out_is_left_at_the_next_keyframe(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a", frames=60, others=[tmp_path / "b"])
    packets = stamped(60)
    recording.feed(packets[:15])

    recording.recorder.set_volumes([VolumeSpec(tmp_path / "b", recording.id_of("b"))])
    recording.feed(packets[15:])
    recording.recorder.finish()

    closed, _ = recording.of_kind("segment_close")
    _, second = recording.of_kind("segment_open")
    assert (second["volume_id"], second["start_us"]) == (recording.id_of("b"), closed["end_us"])
    assert recording.of_kind("gap") == []
