"""The one shape of every error: `{"error": {"code", "message", "fields": {field: [message]}, "detail": {}}}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import JsonResponse

from apps.core.exceptions import NotAuthenticatedError, OmmaError, ThrottledError, UnavailableError

RETRY_AFTER_S = 5  # what a client is told to wait when something is away
CHALLENGE = 'Basic realm="Omma", charset="UTF-8"'


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


def error_headers(error: OmmaError) -> dict[str, str]:
    """Return the headers that belong to this error."""
    if isinstance(error, NotAuthenticatedError):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(error, ThrottledError):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


def body_of(error: OmmaError) -> dict[str, Any]:
    """Return the body that says this error."""
    return error_body(error.error_code, error.message, fields=error.fields, detail=error.detail)


def json_error(error: OmmaError) -> JsonResponse:
    """Return the whole answer, for views outside the API framework."""
    response = JsonResponse(body_of(error), status=error.status)
    for name, value in error_headers(error).items():
        response[name] = value
    return response
