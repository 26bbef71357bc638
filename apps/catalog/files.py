"""Model files on disk: named by their hash, below the data folder's `models/`."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.core.exceptions import ConflictError, InvalidInputError, PayloadTooLargeError, UnavailableError

MAX_MODEL_BYTES = 256 << 20
RESERVE_BYTES = 1 << 30  # stay free


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that has arrived whole, still under a name of its own."""

    path: Path
    sha256: str
    size_bytes: int


def folder() -> Path:
    """Return where model files lie."""
    return Path(settings.OMMA_DATA_DIR) / "models"


def path_of(name: str) -> Path:
    """Return the path of a stored file."""
    return folder() / name


def receive(chunks: Iterable[bytes]) -> ReceivedFile:
    """Write an upload beside the models, hashing it, and refuse it as soon as it is too large."""
    unfinished = folder() / f"{secrets.token_hex(8)}.part"
    digest, size, is_whole = hashlib.sha256(), 0, False
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_MODEL_BYTES:
                    raise PayloadTooLargeError(
                        f"A model may have at most {MAX_MODEL_BYTES >> 20} MB.", field="file"
                    )
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        is_whole = True
    except OSError as exc:
        raise UnavailableError(f"The model cannot be stored: {exc.strerror}.") from exc
    finally:
        if not is_whole:  # too large, or its source broke off
            unfinished.unlink(missing_ok=True)
    if size == 0:
        unfinished.unlink()
        raise InvalidInputError("The file is empty.", field="file")
    return ReceivedFile(unfinished, digest.hexdigest(), size)


def measured(path: Path) -> ReceivedFile:
    """Return a file that lies there already, with its hash and size. Raises `UnavailableError`."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return ReceivedFile(path, digest.hexdigest(), os.fstat(file.fileno()).st_size)
    except OSError as exc:
        raise UnavailableError(f"The file cannot be read: {exc.strerror}.") from exc


def keep(received: ReceivedFile, suffix: str = ".onnx") -> str:
    """Give a received file its lasting name and return it."""
    name = f"{received.sha256}{suffix}"
    folder().mkdir(parents=True, exist_ok=True)
    received.path.replace(path_of(name))
    return name


def check_room(size_bytes: int) -> None:
    """Refuse what would fill the disk: recordings may lie on it."""
    folder().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder()).free - size_bytes < RESERVE_BYTES:
        raise ConflictError("There is no room for this file.", code="no_room", field="size_bytes")


def discard(received: ReceivedFile) -> None:
    """Throw a received file away; harmless when it was kept."""
    received.path.unlink(missing_ok=True)


def remove(name: str) -> None:
    """Delete a stored file that no version names any more."""
    path_of(name).unlink(missing_ok=True)
