"""Files that come in parts: each part says where it belongs, and a lost one is sent again.

A row counts the bytes that are safely on disk; the file may be longer, where a part was written and its count
not committed, and is written over then.
"""

import hashlib
import os
from pathlib import Path

from apps.core.exceptions import (
    ConflictError,
    InvalidInputError,
    PayloadTooLargeError,
    UnavailableError,
)

MAX_PART_BYTES = 8 << 20


def check_part(*, offset: int, data: bytes, received_bytes: int, size_bytes: int) -> None:
    """Refuse a part that does not begin where the file ends, that is empty, or that goes beyond the end."""
    if offset != received_bytes:
        raise ConflictError(
            f"Expected the part at {received_bytes}, got {offset}.",
            code="wrong_offset",
            field="offset",
            detail={"received_bytes": received_bytes},
        )
    if not data:
        raise InvalidInputError("The part is empty.")
    if offset + len(data) > size_bytes:
        raise PayloadTooLargeError(f"Expected {size_bytes} bytes in all, got more.")


def check_whole(path: Path, *, received_bytes: int, size_bytes: int, sha256: str) -> bool:
    """Tell whether the file that has all its parts is the one that was announced.

    Raises `ConflictError` while parts are to come.
    """
    if received_bytes != size_bytes:
        raise ConflictError(
            f"{size_bytes - received_bytes} bytes are still to come.",
            code="upload_unfinished",
            detail={"received_bytes": received_bytes},
        )
    try:
        with path.open("r+b") as file:
            file.truncate(size_bytes)
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as exc:
        raise UnavailableError(f"The file cannot be read: {exc.strerror}.") from exc


def write_part(path: Path, offset: int, data: bytes) -> None:
    """Write a part durably. Raises `UnavailableError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, data[written:], offset + written)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise UnavailableError(f"The part cannot be stored: {exc.strerror}.") from exc
