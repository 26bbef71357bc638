"""Zips from strangers: refused before a byte is written, or unpacked within bounds."""

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from omma_engine.errors import UnsafeArchiveError
from omma_engine.workshop.archives import ArchiveLimits, unpack

LIMITS = ArchiveLimits(
    files=20, bytes_in_all=3_000_000, bytes_a_file=2_000_000, ratio=100, ratio_from=10_000, depth=4
)


def made(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    source = made(tmp_path / "a.zip", ("data.yaml", b"names: [a]"), ("images/train/1.png", b"\x89PNG"))

    files = unpack(source, tmp_path / "out", LIMITS)

    assert [file.relative_to(tmp_path / "out").as_posix() for file in files] == [
        "data.yaml",
        "images/train/1.png",
    ]
    assert files[0].read_bytes() == b"names: [a]"


def _link(path: Path) -> Path:
    member = zipfile.ZipInfo("link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    return path


def _lies_about_its_size(path: Path) -> Path:
    """State 10 bytes for what unpacks to far more, in the directory and in front of the file."""
    made(path, ("a.txt", b"0" * 50_000))
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + place
        content[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: made(path, ("../../escape", b"x")), "names inside the archive"),
        (lambda path: made(path, ("/etc/cron.d/x", b"x")), "names inside the archive"),
        (lambda path: made(path, ("C:\\x", b"x")), "names inside the archive"),
        (_link, "plain files, got a link"),
        (lambda path: made(path, ("bomb", bytes(1_500_000))), "shrink less than 100 times"),
        (lambda path: made(path, ("large", bytes(2_500_000))), "at most 2000000 bytes a file"),
        (lambda path: made(path, *((f"{n}", bytes(900_000)) for n in range(4))), "bytes unpacked"),
        (lambda path: made(path, *((f"{n}", b"x") for n in range(30))), "at most 20 files"),
        (lambda path: made(path, ("a/b/c/d/e/f", b"x")), "short paths"),
        (lambda path: made(path, ("Same", b"x"), ("same", b"y")), "each name once"),
        (_lies_about_its_size, "expected"),
    ],
)
def test_what_no_dataset_needs_is_refused(tmp_path: Path, make: Callable[[Path], Path], problem: str) -> None:
    source = make(tmp_path / "a.zip")
    target = tmp_path / "out"

    with pytest.raises(UnsafeArchiveError, match=problem):
        unpack(source, target, LIMITS)

    left = [path for path in target.rglob("*") if path.is_file()] if target.exists() else []
    assert sum(path.stat().st_size for path in left) <= 50_000
    assert not (tmp_path / "escape").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_says_so(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "a.zip"
    source.write_bytes(content)

    with pytest.raises(UnsafeArchiveError, match="cannot be read as one"):
        unpack(source, tmp_path / "out", LIMITS)


def test_an_archive_inside_is_a_file_like_any_other(tmp_path: Path) -> None:
    inner = made(tmp_path / "inner.zip", ("bomb", bytes(100_000))).read_bytes()
    source = made(tmp_path / "a.zip", ("inner.zip", inner))

    (file,) = unpack(source, tmp_path / "out", LIMITS)

    assert file.read_bytes() == inner
