"""Generated secrets, each in a file that only this user can read."""

import os
import secrets
from pathlib import Path


def read_or_make(path: Path, *, size_bytes: int = 32) -> str:
    """Return the secret in the file, making one on the first call."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(size_bytes) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)  # a crash leaves a whole secret or none
    return path.read_text(encoding="ascii").strip()
