"""May this connection see this stream now? Asked at the start and again while it lasts."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.access import Action, Resource, actor_of, require
from apps.core.async_database import in_database_thread
from apps.core.exceptions import ForbiddenError, NotAuthenticatedError, NotVisibleError, OmmaError
from apps.streams.models import Stream

RECHECK_S = 3.0  # a right that is taken away ends what it allowed within five seconds
AWAY_S = 30.0  # for how long a stream goes on while rights cannot be read

CLOSE_CODES: dict[type[OmmaError], int] = {
    NotAuthenticatedError: 4401,
    ForbiddenError: 4403,
    NotVisibleError: 4404,
}
BAD_REQUEST = 4400
TOO_SLOW = 4408
TRY_LATER = 1013


@dataclass(frozen=True, slots=True)
class StreamSight:
    """A stream that may be seen, and how its source is."""

    stream_id: UUID
    account_id: UUID
    camera_id: UUID
    camera_name: str
    status: str
    status_code: str
    status_detail: str


def sight_of(scope: Any, stream_id: UUID, action: Action = Action.VIEW) -> StreamSight:
    """Return the stream if whoever is behind this connection may see it; raise an `OmmaError` if not."""
    actor = actor_of(scope)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    stream = Stream.objects.select_related("source", "camera").filter(pk=stream_id).first()
    if stream is None:
        raise NotVisibleError
    require(actor, action, Resource(stream.account_id, frozenset({stream.camera_id})))
    return StreamSight(
        stream_id=stream.pk,
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        camera_name=stream.camera.name,
        status=stream.source.status,
        status_code=stream.source.status_code,
        status_detail=stream.source.status_detail,
    )


# Ends with no database connection held, however long the caller streams afterwards.
sight_of_async = in_database_thread(sight_of)


def close_code(error: OmmaError) -> int:
    """Return how a socket says this error."""
    return next((code for kind, code in CLOSE_CODES.items() if isinstance(error, kind)), TRY_LATER)
