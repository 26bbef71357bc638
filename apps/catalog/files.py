"""Model files on disk: named by their hash, below the data folder's `models/`."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.core.exceptions import InvalidInputError, PayloadTooLargeError, UnavailableError

MAX_MODEL_BYTES = 256 << 20


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
    digest, size = hashlib.sha256(), 0
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
    except PayloadTooLargeError:
        unfinished.unlink(missing_ok=True)
        raise
    except OSError as exc:
        unfinished.unlink(missing_ok=True)
        raise UnavailableError(f"The model cannot be stored: {exc.strerror}.") from exc
    if size == 0:
        unfinished.unlink()
        raise InvalidInputError("The file is empty.", field="file")
    return ReceivedFile(unfinished, digest.hexdigest(), size)


def keep(received: ReceivedFile) -> str:
    """Give a received file its lasting name and return it."""
    name = f"{received.sha256}.onnx"
    received.path.replace(path_of(name))
    return name


def discard(received: ReceivedFile) -> None:
    """Throw a received file away; harmless when it was kept."""
    received.path.unlink(missing_ok=True)


def remove(name: str) -> None:
    """Delete a stored file that no version names any more."""
    path_of(name).unlink(missing_ok=True)
