"""Errors raised by views outside the API framework (media, pages) become answers, never tracebacks."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from apps.core.api.envelope import error_headers, json_error
from apps.core.exceptions import OmmaError
from apps.core.foreign_errors import translate

ErrorWriter = Callable[[OmmaError, HttpRequest], HttpResponse]
_WRITER = "omma_error_writer"
_JSON_PATHS = ("/api/", "/media/", "/ws/", "/compat/")


class OmmaErrorMiddleware(MiddlewareMixin):
    """Answer an `OmmaError`, a database or a broker that is away: JSON for programs, a page for people."""

    def process_request(self, request: HttpRequest) -> None:
        """Refuse an address that no row can have: Postgres takes no NUL, and the admin asks for any key."""
        if "\x00" in request.path:
            raise Http404

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = translate(exception)
        if error is None or not _is_ours(error, exception):
            return None
        return answer_error(request, error)


class SecureCookiesMiddleware(MiddlewareMixin):
    """Keep the cookies of whoever came over https to https; over plain http they have to work without."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.is_secure():
            for morsel in response.cookies.values():
                morsel["secure"] = True
        return response


def _is_ours(error: OmmaError, exception: Exception) -> bool:
    """Django answers its own 400, 403 and 404; what is left are our errors and services that are away."""
    return error is exception or error.status == 503


def write_errors_with(request: HttpRequest, writer: ErrorWriter) -> None:
    """Say how errors of this request are written from here on, where a client knows neither of our forms."""
    setattr(request, _WRITER, writer)


def writer_of(request: HttpRequest) -> ErrorWriter | None:
    """Return the request's own way to write errors, if it has one."""
    writer: ErrorWriter | None = getattr(request, _WRITER, None)
    return writer


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, going by the address."""
    return request.path.startswith(_JSON_PATHS)


def answer_error(request: HttpRequest, error: OmmaError) -> HttpResponse:
    """Return the error in the form that this address speaks."""
    writer = writer_of(request)
    if writer is not None:
        return writer(error, request)
    if wants_json(request):
        return json_error(error, request)
    context: dict[str, Any] = {"status": error.status, "message": error.message}
    response = render(request, "error.html", context, status=error.status)
    for name, value in error_headers(error, request).items():
        if name != "WWW-Authenticate":  # a browser would open its own password box
            response[name] = value
    return response
