"""Where the embedded servers of a data folder answer, for commands beside a running `up`."""

import os
from pathlib import Path
from urllib.parse import quote

from omma.embedded.runtime_folder import LONGEST_SOCKET, socket_folder

USER = "omma"
DATABASE = "omma"


def postgres_address(sockets: Path, password: str, database: str = DATABASE) -> str:
    """Return `DATABASE_URL` of the server whose socket lies in this folder."""
    return f"postgresql://{USER}:{quote(password)}@/{database}?host={quote(str(sockets))}"


def valkey_address(socket: Path) -> str:
    """Return `REDIS_URL` or `BUS_URL` of the server at this socket."""
    return f"unix://{socket}?db=0"


def running_addresses(data_dir: Path, secrets_dir: Path) -> dict[str, str]:
    """Return the addresses of those embedded servers that have a socket there; nothing is made or asked."""
    folder = socket_folder(data_dir)
    password_file = secrets_dir / "postgres.password"
    found = {}
    # os.path and not Path: what this user may not look at is as good as absent.
    if os.path.exists(folder / LONGEST_SOCKET) and os.access(password_file, os.R_OK):  # noqa: PTH110
        password = password_file.read_text(encoding="ascii").strip()
        found["DATABASE_URL"] = postgres_address((folder / LONGEST_SOCKET).parent, password)
    for variable, name in (("REDIS_URL", "broker.sock"), ("BUS_URL", "bus.sock")):
        if os.path.exists(folder / name):  # noqa: PTH110
            found[variable] = valkey_address(folder / name)
    return found
