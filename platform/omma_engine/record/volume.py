"""A volume as a child sees it: the folder that segments go to, known by its identity file."""

import json
from pathlib import Path

from omma_engine.errors import StorageError

IDENTITY_FILE = "omma-volume.json"


class Volume:
    """The folder at `root`; remembers which volume it is, so that another one in its place is noticed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._identity: tuple[str, int] | None = None

    @property
    def root(self) -> Path:
        return self._root

    def check(self) -> str:
        """Return the volume's id; raises `StorageError` where it is missing or no longer the same volume.

        An unmounted volume leaves an empty folder behind that would take the bytes gladly, so this is called
        before every new file.
        """
        try:
            text = (self._root / IDENTITY_FILE).read_text()
            device = self._root.stat().st_dev
            volume_id = str(json.loads(text)["volume_id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"the volume {self._root.name} is not there: no {IDENTITY_FILE}") from error
        if self._identity is None:
            self._identity = (volume_id, device)
        if self._identity != (volume_id, device):
            raise StorageError(f"another volume is mounted in place of {self._root.name}")
        return volume_id
