"""Zips from strangers: looked through before anything is unpacked, and unpacked within bounds."""

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from omma_engine.errors import UnsafeArchiveError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold. `ratio` is unpacked bytes to packed ones, of any file above `ratio_from`."""

    files: int = 200_000
    bytes_in_all: int = 20 << 30
    bytes_a_file: int = 256 << 20
    ratio: int = 200
    ratio_from: int = 1 << 20
    depth: int = 12


def unpack(source: Path, folder: Path, limits: ArchiveLimits | None = None) -> list[Path]:
    """Unpack a zip into an empty folder and return the files. Raises `UnsafeArchiveError`.

    Everything that the directory states is checked before the first byte is written, and what comes out is
    counted again. Archives inside are files like any other. Nothing but plain files and folders is made.
    """
    limits = limits or ArchiveLimits()
    try:
        with zipfile.ZipFile(source) as archive:
            members = _checked(archive, limits)
            return [_unpack_one(archive, member, folder, limits) for member in members]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError) as exc:
        raise UnsafeArchiveError(f"expected a zip, and it cannot be read as one: {exc}") from None
    except OSError as exc:
        raise UnsafeArchiveError(f"the zip cannot be unpacked: {exc.strerror or exc}") from exc


def _checked(archive: zipfile.ZipFile, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(archive.infolist()) > limits.files:
        raise UnsafeArchiveError(f"expected at most {limits.files} files, got {len(archive.infolist())}")
    if sum(member.file_size for member in members) > limits.bytes_in_all:
        raise UnsafeArchiveError(f"expected at most {limits.bytes_in_all} bytes unpacked")
    names: set[str] = set()
    for member in members:
        _check_member(member, limits)
        if member.filename.casefold() in names:
            raise UnsafeArchiveError(f"expected each name once, got {member.filename[:80]!r} twice")
        names.add(member.filename.casefold())
    return members


def _check_member(member: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    name, path = member.filename, PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise UnsafeArchiveError(f"expected names inside the archive, got {name[:80]!r}")
    if len(path.parts) > limits.depth or any(len(part.encode()) > 200 for part in path.parts):
        raise UnsafeArchiveError(f"expected short paths, got {name[:80]!r}")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise UnsafeArchiveError(f"expected plain files, got a link or device at {name[:80]!r}")
    if member.flag_bits & 0x1:
        raise UnsafeArchiveError("expected no encrypted files")
    if member.file_size > limits.bytes_a_file:
        raise UnsafeArchiveError(f"expected at most {limits.bytes_a_file} bytes a file, got {name[:80]!r}")
    if member.file_size > limits.ratio_from and member.file_size > limits.ratio * max(
        1, member.compress_size
    ):
        raise UnsafeArchiveError(
            f"expected files that shrink less than {limits.ratio} times, got {name[:80]!r}"
        )


def _unpack_one(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, limits: ArchiveLimits
) -> Path:
    target = folder.joinpath(*PurePosixPath(member.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as packed, target.open("xb") as file:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > min(limits.bytes_a_file, member.file_size):
                raise UnsafeArchiveError(
                    f"expected {member.file_size} bytes, got more in {member.filename[:80]!r}"
                )
            file.write(chunk)
    return target
