"""The agent's addresses. A slash at the end is taken as it is: a redirect would lose login and body."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from apps.dialects.luna import service_views as service
from apps.dialects.luna import stream_views as streams
from apps.dialects.luna import video_views as videos
from apps.dialects.luna.answering import address, not_here


def both(route: str, view: Callable[..., Any]) -> list[URLPattern]:
    """Return an address in both forms."""
    return [path(route, view), path(f"{route}/", view)]


_STREAMS = address(get=streams.list_streams, post=streams.create_stream)
_STREAM = address(
    get=streams.get_stream,
    put=streams.replace_stream,
    patch=streams.patch_stream,
    delete=streams.remove_stream,
)
_LOGS = address(get=streams.list_logs, delete=streams.clean_logs)
_VIDEOSDK = address(post=videos.analyse_video)
_AGENT_INFO = address(get=service.agent_info)
_NOT_HERE = address(
    get=not_here, post=not_here, put=not_here, patch=not_here, delete=not_here, options=not_here
)

ADDRESSES = [
    *both("2/streams", _STREAMS),
    *both("2/streams/logs", _LOGS),  # before the one with an id
    *both("2/streams/<uuid:stream_id>", _STREAM),
    *both("2/agent_info", _AGENT_INFO),
    *both("1/agent_info", _AGENT_INFO),
    *both("1/videosdk", _VIDEOSDK),
    *both("2/videosdk", _VIDEOSDK),
    *both("1/video/tasks/<uuid:task_id>", address(get=videos.get_task)),
    *both("1/video/tasks/<uuid:task_id>/result", address(get=videos.get_result)),
    *both("docs/spec", address(get=service.openapi)),
    *both("docs/dev", address(get=service.development_manual)),
    path("docs/dev/<str:name>.html", address(get=service.manual_page)),
    *both("config", address(get=service.config)),
    *both("plugins", address(get=service.plugins)),
    *both("healthcheck", address(get=service.health)),
    *both("version", address(get=service.version)),
    path("1/<path:rest>", _NOT_HERE),
    path("2/<path:rest>", _NOT_HERE),
]
COMPAT_ADDRESSES = [*ADDRESSES, path("", _NOT_HERE), path("<path:rest>", _NOT_HERE)]
