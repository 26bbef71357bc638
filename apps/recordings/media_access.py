"""What media addresses show, after asking for the right, and the question repeated during a body."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from apps.accounts.access import Action, Resource, actor_of, may, require
from apps.core.exceptions import InvalidInputError, NotAuthenticatedError, NotVisibleError
from apps.recordings.clips import release_connection
from apps.recordings.models import Recording
from apps.streams.models import Segment, SegmentState, Stream

Row = TypeVar("Row")
Scope = dict[str, Any]  # a connection as ASGI describes it
_ABSENT = Resource(None)


def playable_recording(request: HttpRequest, recording_id: UUID) -> Recording:
    row = Recording.objects.select_related("camera").filter(pk=recording_id).first()
    _require(request, Action.PLAYBACK, _resource(row))
    return _found(row)


def playable_stream(request: HttpRequest, stream_id: UUID) -> Stream:
    row = Stream.objects.select_related("camera").filter(pk=stream_id).first()
    _require(request, Action.PLAYBACK, _resource(row))
    return _found(row)


def playable_segment(request: HttpRequest, segment_id: UUID) -> Segment:
    rows = Segment.objects.select_related("volume").exclude(state=SegmentState.GARBAGE)
    row = rows.filter(pk=segment_id).defer("fragments").first()
    _require(request, Action.PLAYBACK, _resource(row))
    return _found(row)


def resource_of(account_id: UUID, camera_id: UUID) -> Resource:
    """Return the resource of one camera's media."""
    return Resource(account_id, frozenset({camera_id}))


def still_allowed(request: HttpRequest | Scope, resource: Resource) -> Callable[[], Awaitable[bool]]:
    """Return the question asked while a body flows: may the same login, read afresh, still play this?"""
    scope = request if isinstance(request, dict) else getattr(request, "scope", None)

    def ask() -> bool:
        try:
            actor = actor_of(scope) if scope is not None else actor_of(request)
            return may(actor, Action.PLAYBACK, resource).allowed
        except NotAuthenticatedError:
            return False
        finally:
            release_connection()

    return sync_to_async(ask)


def wanted_range(request: HttpRequest) -> tuple[datetime, datetime]:
    """Return `start` and `end` of the query: RFC 3339 with an offset."""
    return wanted_time(request, "start"), wanted_time(request, "end")


def wanted_time(request: HttpRequest, name: str) -> datetime:
    """Return a time of the query."""
    text = request.GET.get(name, "")
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise InvalidInputError("Expected a time like 2026-01-31T12:00:00Z.", field=name)
    return moment


def _resource(row: Recording | Stream | Segment | None) -> Resource | None:
    return resource_of(row.account_id, row.camera_id) if row is not None else None


def _require(request: HttpRequest, action: Action, resource: Resource | None) -> None:
    """Raise unless allowed; what is absent answers as what is somebody else's."""
    actor = actor_of(request)
    if resource is None and actor.is_superuser:
        raise NotVisibleError
    require(actor, action, resource or _ABSENT)


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotVisibleError
    return row
