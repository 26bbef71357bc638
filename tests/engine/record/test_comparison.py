"""Index against disk, side by side: what differs is found, in constant memory and whatever the names."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from omma_engine.errors import StorageError
from omma_engine.record.comparison import RowFact, compare
from omma_engine.record.disk import FileFact, files_below, move_to_quarantine, path_key
from omma_engine.record.recover import inspect_segment
from tests.engine.coded import stamped
from tests.engine.record.recording import Recording

ID = UUID(int=1)


def row(path: str, size: int = 10, sha256: str = "") -> RowFact:
    return RowFact(ID, path, size, sha256)


def file(path: str, size: int = 10) -> FileFact:
    return FileFact(path, size, 0)


def told(rows: list[RowFact], files: list[FileFact]) -> list[tuple[str, str, int]]:
    found = compare(rows, files, hash_of=lambda path, size: f"hash of {size}")
    return [(one.difference.value, one.path, one.size_bytes) for one in found]


def test_what_agrees_is_silent() -> None:
    files = [file("a"), file("b", 99), file("c")]

    assert told([row("a"), row("b"), row("c", sha256="hash of 10")], files) == []


def test_each_difference_is_named_with_the_bytes_in_doubt() -> None:
    rows = [row("a"), row("b"), row("d"), row("e", sha256="another")]
    files = [file("b", 4), file("c"), file("e"), file("f", 3)]

    assert told(rows, files) == [
        ("missing", "a", 10),
        ("shorter", "b", 6),
        ("stray", "c", 10),
        ("missing", "d", 10),
        ("changed", "e", 10),
        ("stray", "f", 3),
    ]


def test_two_rows_of_one_file_both_have_it() -> None:
    assert told([row("a"), row("a")], [file("a"), file("b")]) == [("stray", "b", 10)]


def test_rows_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of their paths, got a too late"):
        told([row("b"), row("a")], [])


def test_files_come_in_the_order_of_their_whole_paths(tmp_path: Path) -> None:
    names = ["a-b/1", "a/z", "a/b/c", "a.d/x", "ä/1", "a/b-1", "a!/q", "B/1", "a0"]
    for name in names:
        path = tmp_path / "segments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "segments" / "link").symlink_to(tmp_path / "segments" / "a0")

    paths = [one.path for one in files_below(tmp_path, "segments")]

    assert paths == sorted((f"segments/{name}" for name in names), key=path_key)


def test_a_missing_folder_holds_nothing_and_an_unreadable_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("no folder")

    assert list(files_below(tmp_path, "elsewhere")) == []
    with pytest.raises(StorageError, match="cannot read segments"):
        list(files_below(tmp_path, "segments"))


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_thousand() -> None:
    def rows(count: int) -> Iterator[RowFact]:
        return (row(f"{n:09}") for n in range(count))

    def files(count: int) -> Iterator[FileFact]:
        return (file(f"{n:09}") for n in range(count) if n % 100)

    def peak(count: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in compare(rows(count), files(count))) == count // 100
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(100_000) < peak(1_000) + 20_000


def test_quarantine_keeps_the_bytes_and_never_overwrites(tmp_path: Path) -> None:
    source = tmp_path / "segments/s/1.mp4"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"first")

    assert move_to_quarantine(tmp_path, "segments/s/1.mp4") == "quarantine/segments/s/1.mp4"
    source.write_bytes(b"second")
    with pytest.raises(StorageError, match="File exists"):
        move_to_quarantine(tmp_path, "segments/s/1.mp4")

    assert (tmp_path / "quarantine/segments/s/1.mp4").read_bytes() == b"first"
    assert source.read_bytes() == b"second"


def test_looking_at_a_torn_segment_changes_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=30)
    recording.feed(stamped(30))
    recording.recorder.finish()
    path = recording.files()[0]
    whole = path.read_bytes()
    *kept, torn = inspect_segment(path).fragments
    path.write_bytes(whole[:-5])

    found = inspect_segment(path)

    assert path.read_bytes() == whole[:-5]
    assert found.durable_bytes + found.cut_bytes == len(whole) - 5
    assert (list(found.fragments), found.cut_bytes) == (kept, torn.size - 5)


def test_garbage_in_a_segment_is_a_storage_error_and_nothing_else(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=20)
    recording.feed(stamped(20))
    recording.recorder.finish()
    path = recording.files()[0]
    whole, random, refused = path.read_bytes(), Random(7), 0

    for _ in range(400):
        torn = bytearray(whole[: random.choice([len(whole), random.randrange(2000)])])
        for _ in range(random.randrange(1, 30)):
            if torn:
                torn[random.randrange(min(len(torn), 1500))] = random.randrange(256)
        path.write_bytes(torn)
        try:
            inspect_segment(path)
        except StorageError:
            refused += 1

    assert refused > 100
