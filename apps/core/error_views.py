"""What Django answers when no view did: `handler400`, `403`, `404` and `500` of the URL map."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from apps.core.api.envelope import json_error
from apps.core.exceptions import (
    ForbiddenError,
    InternalError,
    InvalidInputError,
    NotVisibleError,
    OmmaError,
    PayloadTooLargeError,
    UnavailableError,
)
from apps.core.foreign_errors import translate
from apps.core.middleware import answer_error, wants_json, writer_of


def bad_request(request: HttpRequest, exception: Exception, *args: Any, **kwargs: Any) -> HttpResponse:
    """400, or 413 when the body was too large."""
    error = translate(exception)
    if not isinstance(error, InvalidInputError | PayloadTooLargeError):
        error = InvalidInputError("The request cannot be understood.")
    if wants_json(request):
        return json_error(error, request)
    response = defaults.bad_request(request, exception)
    response.status_code = error.status
    return response


def permission_denied(request: HttpRequest, exception: Exception, *args: Any, **kwargs: Any) -> HttpResponse:
    if wants_json(request):
        return json_error(ForbiddenError(str(exception) or "You may not do this."), request)
    return defaults.permission_denied(request, exception)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was not sent from a page of ours, or from one that was left open too long."""
    if wants_json(request):
        return answer_error(request, ForbiddenError(f"CSRF: {reason.rstrip('.') or 'refused'}.", code="csrf"))
    words = (
        "This form was open for too long, or came from elsewhere. "
        "Go back, load the page again, and send it once more."
    )
    return answer_error(request, ForbiddenError(words, code="csrf"))


def page_not_found(request: HttpRequest, exception: Exception, *args: Any, **kwargs: Any) -> HttpResponse:
    if wants_json(request):
        return json_error(NotVisibleError(), request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """500, or 503 when what failed outside any view (a session, a middleware) was the database being away."""
    error = _cause()
    writer = writer_of(request)
    if writer is not None or wants_json(request):
        write = writer or json_error
        return write(error or InternalError("Something went wrong here; it has been logged."), request)
    response = defaults.server_error(request)
    if error is not None:
        response.status_code = error.status
    return response


def _cause() -> OmmaError | None:
    exc = sys.exc_info()[1]
    error = translate(exc) if exc is not None else None
    return error if isinstance(error, UnavailableError) else None
