"""Addresses of a dialect: who asks is found out, errors have the dialect's shape, other origins are told."""

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from apps.core.exceptions import OmmaError
from apps.core.middleware import ErrorWriter, write_errors_with
from apps.dialects.boxes import box_of, is_token

SAFE = ("GET", "HEAD")
_EXPOSED = "Accept-Ranges, Content-Length, Content-Range, ETag"

View = Callable[..., HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)
AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


class MethodRefusedError(OmmaError):
    code = "method_not_allowed"
    status = 405


def reading_view(read: Callable[..., Mapping[str, Any]], write_error: ErrorWriter) -> View:
    """Return the view of an address that answers with JSON what `read(request, box, …)` returns."""

    @wraps(read)
    def view(request: HttpRequest, key: str = "", **values: Any) -> HttpResponseBase:
        early = _begin(request, key, write_error)
        if early is not None:
            return early
        data = read(request, box_of(request, key), **values)
        answer = JsonResponse(data, headers={"Cache-Control": "private, no-store"})
        return _for_other_origins(answer, key)

    return view


def media_view(send: AsyncView, write_error: ErrorWriter) -> AsyncView:
    """Return the view of an address whose body flows; `send(request, key, …)` finds out who asks."""

    @wraps(send)
    async def view(request: HttpRequest, key: str = "", **values: Any) -> HttpResponseBase:
        early = _begin(request, key, write_error)
        if early is not None:
            return early
        return _for_other_origins(await send(request, key, **values), key)

    return view


def _begin(request: HttpRequest, key: str, write_error: ErrorWriter) -> HttpResponse | None:
    """Say how errors are written from here on, and answer what is no request for data."""

    def write(error: OmmaError, asked: HttpRequest) -> HttpResponse:
        answer = write_error(error, asked)
        if is_token(key) and "WWW-Authenticate" in answer:
            answer["WWW-Authenticate"] = 'Bearer realm="Omma"'  # a password box could not help
        return _for_other_origins(answer, key)

    write_errors_with(request, write)
    if request.method == "OPTIONS" and _is_open(key):
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"}
        return _for_other_origins(HttpResponse(status=204, headers=allowed), key)
    if request.method not in SAFE:
        refused = write(MethodRefusedError(f"Method {request.method} not allowed"), request)
        refused["Allow"] = ", ".join(SAFE)
        return refused
    return None


def _is_open(key: str) -> bool:
    """Only where the address carries the login: nothing that a browser would add by itself is used there."""
    return bool(settings.OMMA_COMPAT_CORS) and is_token(key)


def _for_other_origins(answer: Answer, key: str) -> Answer:
    if _is_open(key):
        answer["Access-Control-Allow-Origin"] = "*"
        answer["Access-Control-Expose-Headers"] = _EXPOSED
    return answer
