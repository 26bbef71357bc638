"""The addresses of streams and of what is logged about them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse

from apps.dialects.luna import logs, schemas, stream_services
from apps.dialects.luna.answering import Answer, Call
from apps.dialects.luna.bodies import read_body
from apps.dialects.luna.callers import account_of_header
from apps.dialects.luna.listing import listed_streams
from apps.dialects.luna.queries import Query
from apps.dialects.luna.streams import DEFAULT_TARGETS, TARGETS, represent, stream_for, with_analytics
from apps.streams.models import Stream

ACTIONS = ("stop", "resume")


def create_stream(call: Call) -> Answer:
    account = account_of_header(call.request, call.caller)
    body = read_body(call.request, schemas.STREAM)
    stream = stream_services.create_stream(call.caller, account, body)
    return _made(call, stream, 201)


def list_streams(call: Call) -> Answer:
    query = Query(call.request.GET)
    targets, page = query.targets(TARGETS, DEFAULT_TARGETS), query.page()
    rows = with_analytics(listed_streams(call.caller, query), targets)[page.rows]
    return {"streams": [represent(row, targets) for row in rows]}


def get_stream(call: Call, stream_id: UUID) -> Answer:
    query = Query(call.request.GET)
    targets = query.targets(TARGETS, DEFAULT_TARGETS)
    return represent(stream_for(call.caller, stream_id, query.uuid("account_id")), targets)


def replace_stream(call: Call, stream_id: UUID) -> Answer:
    body = read_body(call.request, schemas.STREAM)
    stream = _wanted(call, stream_id)
    return _made(call, stream_services.replace_stream(call.caller, stream, body), 200)


def remove_stream(call: Call, stream_id: UUID) -> Answer:
    stream_services.remove_stream(call.caller, _wanted(call, stream_id))
    return {}


def patch_stream(call: Call, stream_id: UUID) -> Answer:
    query = Query(call.request.GET)
    query.require("action")
    action = query.choice("action", ACTIONS)
    return {"patched_count": stream_services.patch_stream(call.caller, _wanted(call, stream_id), action)}


def list_logs(call: Call) -> Answer:
    return {"logs": logs.list_logs(call.caller, Query(call.request.GET))}


def clean_logs(call: Call) -> Answer:
    before = Query(call.request.GET).moment("log_time__lt")
    return {"deleted_count": logs.clean_logs(call.caller, before)}


def _wanted(call: Call, stream_id: UUID) -> Stream:
    return stream_for(call.caller, stream_id, Query(call.request.GET).uuid("account_id"))


def _made(call: Call, stream: Stream, status: int) -> HttpResponse:
    """Return where a stream is: `url` is relative to the agent's base, `Location` a whole path."""
    url = f"/2/streams/{stream.pk}"
    body: dict[str, Any] = {"stream_id": str(stream.pk), "url": url}
    return JsonResponse(body, status=status, headers={"Location": f"{call.base}{url}"})
