"""Pictures from footage, for `still.jpg?at=`: the app that plays footage back says how."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from apps.core.exceptions import UnavailableError

# Takes the greatest width and returns a JPEG; it reads files and no database. Raises an `OmmaError`.
Grab = Callable[[int | None], bytes]
FindFootage = Callable[[UUID, datetime], Grab]

_finders: list[FindFootage] = []  # filled once, while the apps get ready


def register(find: FindFootage) -> None:
    """Say who finds footage; it reads the database and raises an `OmmaError` where there is none."""
    _finders[:] = [find]


def footage_at(stream_id: UUID, at: datetime) -> Grab:
    """Return what makes the picture of a stream at a time."""
    if not _finders:
        raise UnavailableError("No footage can be read here.")
    return _finders[0](stream_id, at)
