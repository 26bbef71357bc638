"""A volume as a child sees it: the folder that segments go to, known by its identity file."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from omma_engine.clock import Clock
from omma_engine.errors import StorageError
from omma_engine.types import VolumeSpec

IDENTITY_FILE = "omma-volume.json"
_REST_US = 60_000_000
"""How long a volume that failed is left alone where another one takes the footage."""


class Volume:
    """The folder at `root`; remembers which volume it is, so that another one in its place is noticed."""

    def __init__(self, root: Path, volume_id: str = "") -> None:
        """`volume_id` says which volume it must be; without it, the first one that is found there."""
        self._root = root
        self._expected = volume_id
        self._identity: tuple[str, int] | None = None

    @property
    def root(self) -> Path:
        return self._root

    @property
    def volume_id(self) -> str:
        """Return which volume it is or must be; empty where that is not known."""
        return self._expected if self._identity is None else self._identity[0]

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
        if self._identity is None and self._expected in {"", volume_id}:
            self._identity = (volume_id, device)
        if self._identity is not None and self._identity[0] == volume_id == self._expected:
            self._identity = (volume_id, device)  # it was mounted anew, and is surely the one
        if self._identity != (volume_id, device):
            raise StorageError(f"another volume is mounted in place of {self._root.name}")
        return volume_id

    def require_same_device(self) -> None:
        """Raise `StorageError` where the folder is on another device than when the file in it was begun.

        After a lazy unmount an open file goes on taking bytes that nobody can see.
        """
        if self._identity is None:
            return
        try:
            is_same = self._root.stat().st_dev == self._identity[1]
        except OSError as error:
            raise StorageError(f"the volume {self._root.name} is not there: {error.strerror}") from error
        if not is_same:
            raise StorageError(f"the volume {self._root.name} was unmounted")


class VolumeChoice:
    """The volumes of a stream, the wanted one first; those that failed lately rest while others take over."""

    def __init__(self, specs: Sequence[VolumeSpec], clock: Clock) -> None:
        self._clock = clock
        self._resting_until_us: dict[VolumeSpec, int] = {}
        self._known: dict[VolumeSpec, Volume] = {}
        self._specs: tuple[VolumeSpec, ...] = ()
        self.set(specs)

    @property
    def has_others(self) -> bool:
        return len(self._specs) > 1

    @property
    def wanted(self) -> Path:
        """Return where footage should go."""
        return self._specs[0].root

    def set(self, specs: Sequence[VolumeSpec]) -> None:
        """Take another order, or other volumes; one that is newly wanted first is tried at once."""
        specs = tuple(dict.fromkeys(specs))
        if specs[:1] != self._specs[:1]:
            self._resting_until_us.pop(specs[0], None)
        self._specs = specs
        self._known = {spec: self._known.get(spec) or Volume(spec.root, spec.volume_id) for spec in specs}

    def to_try(self) -> Iterator[Volume]:
        """Yield the volumes in order, those that rest last."""
        now_us = self._clock.monotonic_us()
        for spec in sorted(self._specs, key=lambda one: self._resting_until_us.get(one, 0) > now_us):
            yield self._known[spec]

    def failed(self, root: Path) -> bool:
        """Let a volume rest; return whether it was not resting already."""
        now_us = self._clock.monotonic_us()
        specs = [spec for spec in self._specs if spec.root == root]
        is_new = any(self._resting_until_us.get(spec, 0) <= now_us for spec in specs)
        self._resting_until_us.update(dict.fromkeys(specs, now_us + _REST_US))
        return is_new
