"""What a crash left open is made whole from the file alone."""

import hashlib
from pathlib import Path

import pytest

from omma_engine.errors import StorageError
from omma_engine.record.index import read_index
from omma_engine.record.recover import recover_segment
from tests.engine.coded import START_US, decoded_numbers, stamped
from tests.engine.record.recording import Recording


def crashed_file(root: Path) -> Path:
    recording = Recording(root, frames=35)
    recording.feed(stamped(35))
    return recording.files()[0]  # neither closed nor synced to its end


@pytest.mark.fault("F25")
def test_a_crashed_segment_keeps_its_whole_fragments(tmp_path: Path) -> None:
    path = crashed_file(tmp_path)
    torn = path.read_bytes() + b"\x00\x00\x10\x00moof and then nothing"
    path.write_bytes(torn)

    found = recover_segment(path)

    kept = path.read_bytes()
    assert (found.durable_bytes, found.cut_bytes) == (len(kept), len(torn) - len(kept))
    assert found.sha256 == hashlib.sha256(kept).hexdigest()
    assert decoded_numbers(path) == list(range(found.index.frame_count))
    assert found.end_us == START_US + found.index.frame_count * 100_000
    assert found.index.label.start_us == START_US


def test_recovery_may_be_repeated(tmp_path: Path) -> None:
    path = crashed_file(tmp_path)

    first, second = recover_segment(path), recover_segment(path)

    assert second.cut_bytes == 0
    assert (first.sha256, first.fragments) == (second.sha256, second.fragments)


@pytest.mark.fault("F25", "F26")
def test_every_cut_of_a_file_recovers_or_is_refused(tmp_path: Path) -> None:
    whole = crashed_file(tmp_path).read_bytes()
    index = read_index(crashed_file(tmp_path / "again"))
    path = tmp_path / "cut.mp4"

    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        expected = [each for each in index.fragments if each.offset + each.size <= size]
        if not expected:
            with pytest.raises(StorageError):
                recover_segment(path)
        else:
            assert [each.offset for each in recover_segment(path).fragments] == [
                each.offset for each in expected
            ]


@pytest.mark.parametrize("content", [b"", b"no video", b"\x00\x00\x00\x08ftyp", b"\xff" * 4096])
def test_what_is_no_segment_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stray.mp4"
    path.write_bytes(content)

    with pytest.raises(StorageError):
        recover_segment(path)

    assert path.read_bytes() == content
