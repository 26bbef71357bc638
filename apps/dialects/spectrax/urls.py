"""SpectraX's addresses. A slash at the end is taken as it is: a redirect would lose the login."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from apps.dialects.spectrax import media_views, views


def both(address: str, view: Callable[..., Any]) -> list[URLPattern]:
    """Return an address in both forms."""
    return [path(address, view), path(f"{address}/", view)]


ADDRESSES = [
    *both("status", views.status),
    *both("paths", views.paths),
    *both("video/stream", media_views.video_stream),
    *both("api/recordings", views.recordings),
    *both("api/recordings/stats", views.statistics),  # before the one with an id
    path("api/recordings/file/<path:name>", media_views.recording_file),
    *both("api/recordings/<str:number>", views.recording),
    path("api/recordings/<path:rest>", views.anything_else),
    path("recordings/<path:name>", media_views.recording_file),
]
COMPAT_ADDRESSES = [*ADDRESSES, path("", views.anything_else), path("<path:rest>", views.anything_else)]
