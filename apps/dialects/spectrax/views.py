"""SpectraX's addresses that answer with JSON."""

from typing import Any

from django.http import HttpRequest

from apps.core.exceptions import NotVisibleError
from apps.dialects.boxes import Box
from apps.dialects.spectrax.answers import reading_view
from apps.dialects.spectrax.cameras import camera_paths
from apps.dialects.spectrax.listing import clip_numbered, list_clips, read_query, represent
from apps.dialects.spectrax.statistics import recording_statistics
from apps.dialects.spectrax.status import box_status

MAX_DIGITS = 18


@reading_view
def status(request: HttpRequest, box: Box) -> dict[str, Any]:
    return box_status(box)


@reading_view
def paths(request: HttpRequest, box: Box) -> dict[str, Any]:
    return {"paths": list(camera_paths(box).values())}


@reading_view
def recordings(request: HttpRequest, box: Box) -> dict[str, Any]:
    return list_clips(box, read_query(request.GET))


@reading_view
def recording(request: HttpRequest, box: Box, number: str) -> dict[str, Any]:
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        raise NotVisibleError("Recording not found")
    clip = clip_numbered(box, int(number))
    if clip is None:
        raise NotVisibleError(f"Recording {int(number)} not found")
    return represent(clip, camera_paths(box))


@reading_view
def statistics(request: HttpRequest, box: Box) -> dict[str, Any]:
    return recording_statistics(box)


@reading_view
def anything_else(request: HttpRequest, box: Box, rest: str = "") -> dict[str, Any]:
    raise NotVisibleError("Not Found")
