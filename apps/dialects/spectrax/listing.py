"""SpectraX's list of recordings: what may be asked, which rows answer, and how they look."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.http import QueryDict

from apps.accounts.access import Action, visible
from apps.core.exceptions import InvalidInputError
from apps.dialects.boxes import Box
from apps.dialects.spectrax.cameras import camera_paths, name_in
from apps.dialects.spectrax.files import thumbnail_name, video_name
from apps.dialects.spectrax.models import DetectedObject, SpectraxClip
from apps.dialects.spectrax.times import first_moment, moment_after, naive_text
from apps.recordings.models import RecordingState

USUAL_LIMIT, MAX_LIMIT, MAX_OFFSET = 100, 1000, 10**15
FILES = "/recordings/"
MEDIA = "/api/recordings/file/"
MAX_NUMBER = 2**31 - 1
_WHOLE_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
_SORTS = {
    "timestamp": "recording__start",
    "confidence": "confidence",
    "duration": "length",
}

Clips = QuerySet[SpectraxClip]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A request for recordings, checked."""

    limit: int
    offset: int
    stream_id: str
    since: datetime | None
    before: datetime | None
    object_type: str
    min_confidence: float | None
    sort_by: str
    is_descending: bool


def read_query(params: QueryDict) -> ListQuery:
    """Return what is asked; raise `InvalidInputError` for what SpectraX refuses."""
    start, end = params.get("start_date", ""), params.get("end_date", "")
    return ListQuery(
        limit=_whole_number(params, "limit", USUAL_LIMIT, 1, MAX_LIMIT),
        offset=_whole_number(params, "offset", 0, 0, MAX_OFFSET),
        stream_id=params.get("stream_id", ""),
        since=first_moment(start, "start_date") if start else None,
        before=moment_after(end, "end_date") if end else None,
        object_type=params.get("object_type", ""),
        min_confidence=_confidence(params),
        sort_by=_choice(params, "sort_by", "timestamp", _SORTS),
        is_descending=_choice(params, "sort_order", "desc", ("asc", "desc")) == "desc",
    )


def clips_of(box: Box) -> Clips:
    """Return the finished recordings of an account that may be played."""
    rows = SpectraxClip.objects.filter(account_id=box.account.pk, recording__state=RecordingState.DONE)
    return visible(box.actor, Action.PLAYBACK, rows)


def clip_numbered(box: Box, number: int) -> SpectraxClip | None:
    """Return the recording with this number, which is the dialect's id, if it may be played."""
    rows = clips_of(box).filter(recording__account_id=box.account.pk, recording__number=number)
    return rows.select_related("recording__camera").first() if number <= MAX_NUMBER else None


def list_clips(box: Box, query: ListQuery) -> dict[str, Any]:
    """Return a page of recordings, and how many there are."""
    rows = _filtered(clips_of(box), query)
    sign = "-" if query.is_descending else ""
    rows = rows.alias(length=F("recording__end") - F("recording__start"))
    rows = rows.order_by(sign + _SORTS[query.sort_by], f"{sign}recording__number")
    page = list(rows.select_related("recording")[query.offset : query.offset + query.limit])
    paths = camera_paths(box)
    return {
        "total": rows.count(),
        "limit": query.limit,
        "offset": query.offset,
        "recordings": [represent(clip, paths) for clip in page if clip.camera_id in paths],
    }


def represent(clip: SpectraxClip, paths: Mapping[UUID, str]) -> dict[str, Any]:
    """Return a recording as SpectraX shows it. Paths on disk are virtual: there is no such file."""
    recording = clip.recording
    path = paths[clip.camera_id]
    video = video_name(recording, path)
    picture = thumbnail_name(video) if recording.thumbnail else None
    return {
        "id": recording.number,
        "timestamp": naive_text(recording.start),
        "stream_id": str(recording.stream_id),
        "stream_name": name_in(path),
        "file_path": FILES + video,
        "duration": (recording.end - recording.start).total_seconds(),
        "objects_detected": clip.objects_detected,
        "thumbnail_path": picture and FILES + picture,
        "confidence": clip.confidence,
        "retained": 1,
        "tracker_ids": tracker_ids_text(clip),
        "file_url": FILES + video,
        "thumbnail_url": picture and FILES + picture,
        "mediaUrl": MEDIA + video,
        "thumbnailMediaUrl": picture and MEDIA + picture,
    }


def tracker_ids(objects: Iterable[DetectedObject]) -> list[int]:
    """Return the numbers of the tracks in a recording, each once."""
    return list(dict.fromkeys(one["tracker_id"] for one in objects if "tracker_id" in one))


def tracker_ids_text(clip: SpectraxClip) -> str | None:
    """Return them as SpectraX does: JSON in a text, or nothing."""
    found = tracker_ids(clip.objects_detected)
    return json.dumps(found) if found else None


def _filtered(rows: Clips, query: ListQuery) -> Clips:
    if query.stream_id:
        rows = rows.filter(recording__stream_id=stream) if (stream := _uuid(query.stream_id)) else rows.none()
    if query.since is not None:
        rows = rows.filter(recording__start__gte=query.since)
    if query.before is not None:
        rows = rows.filter(recording__start__lt=query.before)
    if query.object_type:
        is_storable = "\0" not in query.object_type
        rows = rows.filter(classes__contains=[query.object_type]) if is_storable else rows.none()
    if query.min_confidence is not None:
        rows = rows.filter(confidence__gte=query.min_confidence)
    return rows


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _whole_number(params: QueryDict, name: str, usual: int, least: int, most: int) -> int:
    text = params.get(name)
    if text is None:
        return usual
    if not (_WHOLE_NUMBER.fullmatch(text) and least <= int(text) <= most):
        bounds = f"from {least} to {most}" if most == MAX_LIMIT else f"of at least {least}"
        raise InvalidInputError(f"{name}: expected a whole number {bounds}", field=name)
    return int(text)


def _confidence(params: QueryDict) -> float | None:
    text = params.get("min_confidence")
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise InvalidInputError("min_confidence: expected a number from 0.0 to 1.0", field="min_confidence")
    return value


def _choice(params: QueryDict, name: str, usual: str, allowed: Mapping[str, Any] | tuple[str, ...]) -> str:
    text = params.get(name, usual)
    if text not in allowed:
        raise InvalidInputError(f"{name}: expected one of {', '.join(allowed)}", field=name)
    return text
