"""How a row looks to an actor, by kind of row: what the events socket sends is what the API would answer.

Each app registers its own kinds in `AppConfig.ready`. A loader gets ids and an actor, and returns the
representations of those that exist and that the actor may view.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

Representation = Mapping[str, Any]
# The actor is `apps.accounts.access.Actor`; core lies below it and cannot name it.
Loader = Callable[[Iterable[UUID], Any], Mapping[UUID, Representation]]

_loaders: dict[str, Loader] = {}


def register(subject_kind: str, loader: Loader) -> None:
    """Say who loads rows of this kind; one loader a kind."""
    known = _loaders.get(subject_kind)
    if known is not None and known is not loader:
        raise ValueError(f"representation of {subject_kind!r} is registered twice")
    _loaders[subject_kind] = loader


def load(subject_kind: str, ids: Iterable[UUID], actor: Any) -> dict[UUID, Representation]:
    """Return the representations that this actor may see; an unknown kind has none."""
    loader = _loaders.get(subject_kind)
    return dict(loader(ids, actor)) if loader else {}


def registered_kinds() -> frozenset[str]:
    """Return every kind that has a loader."""
    return frozenset(_loaders)
