"""Which user Postgres runs as: it refuses root."""

import os
import pwd
from pathlib import Path

from omma.embedded.errors import EmbeddedServerError

Identity = tuple[int, int]


def postgres_identity(cluster: Path) -> Identity | None:
    """Return the (user, group) to become, or none when not root: the folder's owner, else `nobody`."""
    if os.getuid() != 0:
        return None
    for folder in (cluster, cluster.parent):
        if folder.is_dir() and folder.stat().st_uid != 0:
            found = folder.stat()
            return found.st_uid, found.st_gid
    if cluster.is_dir():
        raise EmbeddedServerError(
            f"{cluster} belongs to root, and Postgres does not run as root; give it to another user"
        )
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def make_folder(folder: Path, identity: Identity | None) -> None:
    """Make a private folder for the server. Only one that was made here changes hands."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700)
    if identity is not None:
        os.chown(folder, *identity)
