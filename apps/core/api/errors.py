"""Every error of the API as one envelope: what the framework's exception handler answers."""

import logging
from collections.abc import Iterator
from typing import Any

from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.api.envelope import body_of, challenge_for, error_body, error_headers
from apps.core.exceptions import OmmaError
from apps.core.foreign_errors import summary_of, translate

logger = logging.getLogger(__name__)


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for an error raised in an API view; None for a fault, which becomes a logged 500."""
    request: Request = context["request"]
    if isinstance(exc, drf.APIException):
        set_rollback()
        return _answer_framework_error(exc, request)
    error = translate(exc)
    if error is None:
        return None
    set_rollback()
    _log(error, exc, context)
    return Response(body_of(error), status=error.status, headers=error_headers(error, request))


def _log(error: OmmaError, exc: Exception, context: dict[str, Any]) -> None:
    if error.status < 500:
        return
    view = type(context.get("view")).__name__
    logger.error("%s answered %d %s: %s", view, error.status, error.error_code, exc)


def _answer_framework_error(exc: drf.APIException, request: Request) -> Response:
    fields = field_messages(exc.detail) if isinstance(exc, drf.ValidationError) else {}
    code = "invalid" if isinstance(exc, drf.ValidationError) else _code_of(exc)
    message = summary_of(fields) if fields else _text_of(exc.detail)
    headers = {"WWW-Authenticate": challenge_for(request)} if exc.status_code == 401 else {}
    wait = getattr(exc, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    return Response(error_body(code, message, fields=fields), status=exc.status_code, headers=headers)


def _code_of(exc: drf.APIException) -> str:
    codes = exc.get_codes()
    return codes if isinstance(codes, str) else exc.default_code


def _text_of(detail: Any) -> str:
    return str(detail[0]) if isinstance(detail, list) and detail else str(detail)


def field_messages(detail: Any) -> dict[str, list[str]]:
    """Return nested validation errors flat: `{"cameras.0.name": ["…"]}`.

    >>> field_messages({"name": ["Too long."], "options": {"fps": ["A number."]}})
    {'name': ['Too long.'], 'options.fps': ['A number.']}
    """
    found: dict[str, list[str]] = {}
    for name, message in _walk(detail, ""):
        found.setdefault(name or "non_field_errors", []).append(message)
    return found


def _walk(detail: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            # "non_field_errors" inside a nested serializer belongs to that serializer's field.
            name = prefix if key == "non_field_errors" and prefix else f"{prefix}.{key}".lstrip(".")
            yield from _walk(value, name)
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            yield from _walk(value, f"{prefix}.{index}" if isinstance(value, dict | list) else prefix)
    else:
        yield prefix, str(detail)
