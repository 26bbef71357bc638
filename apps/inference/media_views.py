"""Pictures of tracks and events, for whoever may play back their camera."""

import os
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, actor_of, visible
from apps.core.exceptions import NotAuthenticatedError, NotVisibleError
from apps.core.http_range import OpenFile, file_response
from apps.inference.models import Event, Track


@require_safe
def track_crop(request: HttpRequest, track_id: UUID) -> HttpResponseBase:
    """Answer with the picture of a track's best moment."""
    return _picture(request, Track.objects.filter(pk=track_id), "crop")


@require_safe
def event_snapshot(request: HttpRequest, event_id: UUID) -> HttpResponseBase:
    """Answer with the picture that was taken when an event began."""
    return _picture(request, Event.objects.filter(pk=event_id), "snapshot")


def _picture(request: HttpRequest, rows: QuerySet[Track] | QuerySet[Event], field: str) -> HttpResponseBase:
    actor = actor_of(request)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    name = visible(actor, Action.PLAYBACK, rows).values_list(field, flat=True).first()
    connection.close()  # nothing is asked of the database while the picture is sent
    if not name:
        raise NotVisibleError
    file, stamp = _open(name)
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
