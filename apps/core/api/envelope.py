"""The one shape of errors: `{"error": {"code", "message", "fields": {field: [message]}, "detail": {}}}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse

from apps.core.exceptions import NotAuthenticatedError, OmmaError, ThrottledError, UnavailableError

RETRY_AFTER_S = 5  # what a client is told to wait when something is away
_BASIC = 'Basic realm="Omma", charset="UTF-8"'
_BEARER = 'Bearer realm="Omma"'


def error_body(
    code: str,
    message: str,
    *,
    fields: Mapping[str, Sequence[str]] | None = None,
    detail: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return the body of an error answer."""
    listed = {name: list(messages) for name, messages in (fields or {}).items()}
    return {"error": {"code": code, "message": message, "fields": listed, "detail": dict(detail or {})}}


def challenge_for(request: HttpRequest) -> str:
    """Return how to log in: players and programs are asked for a password, scripts in a page are not.

    A browser that sees a Basic challenge opens its own password box over the page.
    """
    return _BEARER if "Sec-Fetch-Mode" in request.headers else _BASIC


def error_headers(error: OmmaError, request: HttpRequest) -> dict[str, str]:
    """Return the headers that belong to this error."""
    if isinstance(error, NotAuthenticatedError):
        return {"WWW-Authenticate": challenge_for(request)}
    if isinstance(error, ThrottledError):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


def body_of(error: OmmaError) -> dict[str, Any]:
    """Return the body that says this error."""
    return error_body(error.error_code, error.message, fields=error.fields, detail=error.detail)


def json_error(error: OmmaError, request: HttpRequest) -> JsonResponse:
    """Return the whole answer, for views outside the API framework."""
    response = JsonResponse(body_of(error), status=error.status)
    for name, value in error_headers(error, request).items():
        response[name] = value
    return response
