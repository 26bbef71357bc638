"""The picture that goes with a notification: of an event when it began, of a track at its best moment."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.alerts.models import NoticeKind
from apps.inference.models import Event, Track

MAX_BYTES = 600_000  # in base64 it still fits into a body


def picture_of(kind: str, subject_id: UUID | None, payload: Mapping[str, Any]) -> bytes:
    """Return a JPEG; nothing where there is none, any more or yet, or where it is too large."""
    match kind:
        case NoticeKind.TRACK:
            tracks = Track.objects.filter(pk__in=[subject_id])
            return _read(tracks.values_list("crop", flat=True).first())
        case NoticeKind.EVENT | NoticeKind.RULE:
            events = Event.objects.filter(pk__in=[payload["event_id"]])
            return _read(events.values_list("snapshot", flat=True).first())
        case _:
            return b""


def _read(name: str | None) -> bytes:
    parts = PurePosixPath(name or "").parts
    if parts[:1] != ("thumbnails",) or ".." in parts:
        return b""
    path = Path(settings.OMMA_DATA_DIR).joinpath(*parts)
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError:
        return b""  # it is gone, or not there yet
