"""Pictures of tracks and events, for whoever may play back their camera."""

import os
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, actor_of, visible
from apps.core.async_database import in_database_thread
from apps.core.exceptions import NotAuthenticatedError, NotVisibleError
from apps.core.http_range import OpenFile, file_response
from apps.inference.models import Event, Track


@require_safe
async def track_crop(request: HttpRequest, track_id: UUID) -> HttpResponseBase:
    """Answer with the picture of a track's best moment."""
    return _answer(request, await _find(request, Track.objects.filter(pk=track_id), "crop"))


@require_safe
async def event_snapshot(request: HttpRequest, event_id: UUID) -> HttpResponseBase:
    """Answer with the picture that was taken when an event began."""
    return _answer(request, await _find(request, Event.objects.filter(pk=event_id), "snapshot"))


@in_database_thread
def _find(request: HttpRequest, rows: QuerySet[Any], field: str) -> tuple[OpenFile, str]:
    """Authorise and open; the database connection is given back before anything is sent."""
    actor = actor_of(request)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    name = visible(actor, Action.PLAYBACK, rows).values_list(field, flat=True).first()
    if not name:
        raise NotVisibleError
    return _open(name)


def _answer(request: HttpRequest, found: tuple[OpenFile, str]) -> HttpResponseBase:
    file, stamp = found
    return file_response(request, file, etag=stamp, content_type="image/jpeg")


def _open(name: str) -> tuple[OpenFile, str]:
    """Open a file below the data folder's `thumbnails/`; return it with what tells its contents apart."""
    parts = PurePosixPath(name).parts
    if parts[:1] != ("thumbnails",) or ".." in parts:
        raise NotVisibleError
    try:
        descriptor = os.open(Path(settings.OMMA_DATA_DIR).joinpath(*parts), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise NotVisibleError("The picture is gone.") from exc
    facts = os.fstat(descriptor)
    return OpenFile(descriptor), f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"
