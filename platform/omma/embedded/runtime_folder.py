"""Where the servers' sockets lie: a private folder whose socket paths stay short."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from omma.embedded.errors import EmbeddedServerError

LONGEST_SOCKET = "pg/.s.PGSQL.5432"
MAX_PATH_BYTES = 90  # the kernels allow 104 to 108 bytes, and Postgres appends to it


def runtime_folder(data_dir: Path) -> Path:
    """Make and return the folder for the sockets."""
    folder = socket_folder(data_dir)
    make_private(folder)
    return folder


def socket_folder(data_dir: Path) -> Path:
    """Return the folder: `run` in the data folder, or one keyed to it where that is too long."""
    folder = data_dir / "run"
    if len(os.fsencode(folder / LONGEST_SOCKET)) >= MAX_PATH_BYTES:
        key = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"omma-{os.getuid()}-{key}"
    if len(os.fsencode(folder / LONGEST_SOCKET)) >= MAX_PATH_BYTES:
        folder = Path("/tmp") / folder.name  # noqa: S108 - `runtime_folder` makes it private and checks that
    return folder


def make_private(folder: Path) -> None:
    """Make a folder that only this user can enter, or check that the existing one is such."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedServerError(f"{folder}: expected a folder of this user, remove it and start again")
    # As root, Postgres runs as somebody else and has to pass through to its own folder inside.
    folder.chmod(0o711 if os.getuid() == 0 else 0o700)
