"""The agent's addresses as an OpenAPI document, made from the schemas that bodies are checked with."""

from collections.abc import Mapping
from typing import Any

import yaml
from django.template.loader import render_to_string

from apps.dialects.luna import schemas
from apps.dialects.luna.logs import TARGETS as LOG_TARGETS
from apps.dialects.luna.request_ids import HEADER
from apps.dialects.luna.streams import TARGETS

TITLE = "Luna Video Agent API as Omma speaks it"
_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time"}
_WORDS = {"type": "string", "description": "comma-separated"}
_PAGING = {"page": {"type": "integer", "minimum": 1}, "page_size": {"type": "integer", "minimum": 1}}
_OWNER = {"account_id": _UUID}
_STREAM_FILTERS: Mapping[str, Any] = {
    **_OWNER, "stream_ids": _WORDS, "stream_id__gte": _UUID, "stream_id__lt": _UUID, "names": _WORDS,
    "reference": {"type": "string", "maxLength": 2083}, "statuses": _WORDS, "create_time__gte": _TIME,
    "create_time__lt": _TIME, "sources": _WORDS, "event_source_groups": _WORDS, "groups": _WORDS,
    "splittable": {"type": "integer", "enum": [0, 1]}, "order": {"enum": ["asc", "desc"]},
    "order_column": {"enum": ["create_time", "name"]}, **_PAGING,
    "targets": {"type": "string", "description": f"comma-separated: {', '.join(TARGETS)}"},
}  # fmt: skip
_LOG_FILTERS: Mapping[str, Any] = {
    **_OWNER, "stream_ids": _WORDS, "statuses": _WORDS, "log_time__gte": _TIME, "log_time__lt": _TIME,
    "analytic_indexes": _WORDS, **_PAGING,
    "targets": {"type": "string", "description": f"comma-separated: {', '.join(LOG_TARGETS)}"},
}  # fmt: skip
_ERROR = {
    "type": "object",
    "required": ["error_code", "desc", "detail", "link"],
    "properties": {
        "error_code": {"type": "integer"},
        "desc": {"type": "string"},
        "detail": {"type": "string"},
        "link": {"type": "string"},
    },
}


def document(base: str) -> dict[str, Any]:
    """Return the document for the agent whose addresses begin with `base`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1.28.0"},
        "servers": [{"url": base}],
        "paths": _paths(),
        "components": {"schemas": {"Error": _ERROR, "Stream": schemas.STREAM, "Video": schemas.VIDEOSDK}},
    }


def as_yaml(base: str) -> str:
    text: str = yaml.safe_dump(document(base), sort_keys=False, allow_unicode=True)
    return text


def as_html(base: str) -> str:
    operations = [
        (method.upper(), path, operation["summary"])
        for path, methods in _paths().items()
        for method, operation in methods.items()
    ]
    return render_to_string("dialects/luna_specification.html", {"title": TITLE, "operations": operations})


def _paths() -> dict[str, Any]:
    stream, account = {"stream_id": _UUID}, {"Luna-Account-Id": _UUID}
    return {
        "/1/videosdk": {"post": _operation("video analytics", body="Video")},
        "/1/video/tasks/{task_id}": {"get": _operation("get task", path={"task_id": _UUID})},
        "/1/video/tasks/{task_id}/result": {"get": _operation("get result", path={"task_id": _UUID})},
        "/2/streams": {
            "post": _operation("create stream", body="Stream", header=account, status="201"),
            "get": _operation("get streams", query=_STREAM_FILTERS),
        },
        "/2/streams/{stream_id}": {
            "get": _operation("get stream", path=stream, query={**_OWNER, "targets": _WORDS}),
            "put": _operation("replace stream", path=stream, query=_OWNER, body="Stream"),
            "patch": _operation("patch stream", path=stream, query={"action": {"enum": ["stop", "resume"]}}),
            "delete": _operation("remove stream", path=stream, query=_OWNER),
        },
        "/2/streams/logs": {
            "get": _operation("get streams logs", query=_LOG_FILTERS),
            "delete": _operation("delete stream logs", query={"log_time__lt": _TIME}),
        },
        "/2/ws": {"get": _operation("ws events handshake", query=_SOCKET, status="101")},
        "/2/agent_info": {"get": _operation("get agent info")},
        "/docs/spec": {"get": _operation("get openapi documentation")},
        "/docs/dev": {"get": _operation("get development manual", status="302")},
        "/config": {"get": _operation("get service configuration")},
        "/plugins": {"get": _operation("get list of plugins")},
        "/healthcheck": {"get": _operation("get health", query={"include_luna_services": {"enum": [0, 1]}})},
        "/version": {"get": _operation("get version")},
    }


_SOCKET = {**_OWNER, "stream_id": _UUID, "analytic_index": {"type": "integer", "minimum": 0}}


def _operation(
    summary: str,
    *,
    path: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    body: str = "",
    status: str = "200",
) -> dict[str, Any]:
    headers = {HEADER: {"type": "string"}, **(header or {})}
    parameters = [*_parameters(path or {}, "path"), *_parameters(query or {}, "query")]
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": [*parameters, *_parameters(headers, "header")],
        "responses": {
            status: {"description": summary},
            "default": {"description": "what is wrong", "content": error},
        },
    }
    if body:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(schemas_by_name: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    required = {"action", "analytic_index", "Luna-Account-Id"}
    return [
        {"name": name, "in": place, "required": place == "path" or name in required, "schema": schema}
        for name, schema in schemas_by_name.items()
    ]
