"""The agent's addresses: one view an address, with an operation a method, request ids and Luna's errors."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.core.exceptions import OmmaError
from apps.core.middleware import write_errors_with
from apps.dialects.boxes import is_token
from apps.dialects.luna.callers import Caller, caller_of
from apps.dialects.luna.errors import BAD_HEADER, METHOD_REFUSED, NO_PAGE, LunaError, error_answer
from apps.dialects.luna.request_ids import HEADER, request_id_of

logger = logging.getLogger(__name__)

_ALLOWED_HEADERS = f"Authorization, Content-Type, Luna-Account-Id, {HEADER}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the agent, its id, and who makes it. `base` is where the agent's addresses begin."""

    request: HttpRequest
    request_id: str
    caller: Caller
    base: str


Answer = Mapping[str, Any] | HttpResponseBase
Operation = Callable[..., Answer]
View = Callable[..., HttpResponseBase]
AnyAnswer = TypeVar("AnyAnswer", bound=HttpResponseBase)


class Mark(Protocol):
    """Adds to an answer what every answer of the agent has."""

    def __call__(self, answer: AnyAnswer) -> AnyAnswer: ...


def address(**operations: Operation) -> View:
    """Return the view of an address; the names are its methods, `get=list_streams, post=create_stream`."""
    by_method = {name.upper(): operation for name, operation in operations.items()}
    if "GET" in by_method:
        by_method.setdefault("HEAD", by_method["GET"])

    @csrf_exempt  # asked for where a cookie is the login (see `caller_of`)
    def view(request: HttpRequest, key: str = "", **values: Any) -> HttpResponseBase:
        request_id, is_usable = request_id_of(request)
        mark = _marker(request, key, request_id)
        write_errors_with(request, lambda error, asked: mark(_written(error, asked, key)))
        if request.method == "OPTIONS" and _is_open(key):
            return mark(HttpResponse(status=204, headers=_preflight(by_method)))
        if not is_usable:
            raise LunaError(BAD_HEADER, f"Header {HEADER!r}: expected <10 digits>,<lower-case uuid>")
        operation = by_method.get(request.method or "")
        if operation is None:
            return mark(_refused(request, key, by_method))
        call = Call(request, request_id, caller_of(request, key), _base_of(key))
        return mark(_as_response(operation(call, **values)))

    return view


def not_here(call: Call, **values: Any) -> Answer:
    """Answer an address that the agent does not have."""
    raise LunaError(NO_PAGE, "Page not found")


def _as_response(answer: Answer) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    return JsonResponse(answer, headers={"Cache-Control": "private, no-store"})


def _written(error: OmmaError, request: HttpRequest, key: str) -> HttpResponse:
    answer = error_answer(error, request)
    if is_token(key) and "WWW-Authenticate" in answer:
        answer["WWW-Authenticate"] = 'Bearer realm="Omma"'  # a password box could not help
    return answer


def _refused(request: HttpRequest, key: str, methods: Mapping[str, Operation]) -> HttpResponse:
    answer = _written(LunaError(METHOD_REFUSED, f"Method {request.method} not allowed"), request, key)
    answer["Allow"] = ", ".join(sorted(methods))
    return answer


def _marker(request: HttpRequest, key: str, request_id: str) -> Mark:
    """Return what gives every answer its request id, says it in the log, and tells other origins."""

    def mark(answer: AnyAnswer) -> AnyAnswer:
        answer[HEADER] = request_id
        if _is_open(key):
            answer["Access-Control-Allow-Origin"] = "*"
            answer["Access-Control-Expose-Headers"] = f"{HEADER}, Location"
        is_news = request.method not in {"GET", "HEAD"} or answer.status_code >= 500
        level = logging.INFO if is_news else logging.DEBUG
        logger.log(level, "luna %s %s %s %d", request_id, request.method, request.path, answer.status_code)
        return answer

    return mark


def _is_open(key: str) -> bool:
    """Only where the address carries the login may pages of other origins ask."""
    return bool(settings.OMMA_COMPAT_CORS) and is_token(key)


def _preflight(methods: Mapping[str, Operation]) -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
    }


def _base_of(key: str) -> str:
    return f"/compat/luna/{key}" if key else ""
