"""How Luna says that something is wrong: `error_code`, `desc`, `detail` and `link`, with its own numbers."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.core.api.envelope import error_headers
from apps.core.exceptions import (
    ForbiddenAddressError,
    ForbiddenError,
    InternalError,
    InvalidAddressError,
    InvalidInputError,
    NotAuthenticatedError,
    NotVisibleError,
    OmmaError,
    PayloadTooLargeError,
    ThrottledError,
    UnavailableError,
)
from omma_engine.redaction import redact

LONGEST_DETAIL = 500
LINK = "/docs/dev/dialects.html#luna-errors"


@dataclass(frozen=True, slots=True)
class LunaCode:
    """A number that clients know, its short words, and the HTTP status that goes with it."""

    number: int
    desc: str
    status: int = 400


INTERNAL = LunaCode(1, "Internal server error", 500)
NOT_AUTHORIZED = LunaCode(11065, "Authorization failed", 401)
FORBIDDEN = LunaCode(11036, "Forbidden", 403)
BAD_ACCOUNT = LunaCode(11037, "Bad/incomplete input data")
NO_ACCOUNT = LunaCode(11066, "Bad/incomplete input data")
BAD_QUERY = LunaCode(12012, "Bad query parameters")
NO_PAGE = LunaCode(12013, "Resource not found", 404)
QUERY_MISSING = LunaCode(12014, "Bad/incomplete input data")
BAD_HEADER = LunaCode(12016, "Bad/incomplete input data")
BAD_CONTENT_TYPE = LunaCode(12017, "Bad content type")
METHOD_REFUSED = LunaCode(12021, "Method not allowed", 405)
BAD_BODY = LunaCode(12022, "Bad/incomplete input data")
NOT_ACCEPTABLE = LunaCode(12024, "Not acceptable", 406)
BAD_VALUE = LunaCode(12027, "Bad/incomplete input data")
NO_MANUAL = LunaCode(12032, "Document file not found", 404)
EMPTY_BODY = LunaCode(12030, "Bad/incomplete input data")
NO_RESULT = LunaCode(28018, "Task result not found", 404)
NO_TASK = LunaCode(28001, "Object not found", 404)
NO_STREAM = LunaCode(44001, "Object not found", 404)
BAD_LOG_TARGET = LunaCode(44006, "Bad input data")
NO_ANALYTIC = LunaCode(44014, "Unprocessable content", 422)
CONFLICT = LunaCode(44013, "Stream status is unsuitable", 409)
PROCESSING = LunaCode(45001, "Stream processing error", 422)
TOO_LARGE = LunaCode(12028, "Request entity too large", 413)
TOO_MANY = LunaCode(12029, "Too many requests", 429)
AWAY = LunaCode(11, "Service unavailable", 503)

_BY_CLASS: dict[type[OmmaError], LunaCode] = {
    NotAuthenticatedError: NOT_AUTHORIZED,
    ForbiddenError: FORBIDDEN,
    InvalidAddressError: BAD_VALUE,
    ForbiddenAddressError: BAD_VALUE,
    InvalidInputError: BAD_VALUE,
    NotVisibleError: NO_PAGE,
    PayloadTooLargeError: TOO_LARGE,
    ThrottledError: TOO_MANY,
    UnavailableError: AWAY,
    InternalError: INTERNAL,
}


class LunaError(OmmaError):
    """An error with a number of Luna's."""

    def __init__(self, code: LunaCode, detail: str) -> None:
        super().__init__(detail)
        self.luna = code


def stream_not_found(stream_id: object) -> LunaError:
    return LunaError(NO_STREAM, f"Stream with id {stream_id} not found")


def code_of(error: OmmaError) -> LunaCode:
    """Return Luna's number for an error; one that it has no number for keeps its HTTP status."""
    if isinstance(error, LunaError):
        return error.luna
    known = next((code for kind, code in _BY_CLASS.items() if isinstance(error, kind)), None)
    if known is not None:
        return known
    return LunaCode(CONFLICT.number if error.status == 409 else 1, "Error", error.status)


def body_of(error: OmmaError) -> dict[str, object]:
    """Return the error as clients read it; the link is relative to the agent's base, as every address is."""
    code = code_of(error)
    detail = error.message if not error.field else f"{error.field}: {error.message}"
    return {
        "error_code": code.number,
        "desc": code.desc,
        "detail": redact(detail)[:LONGEST_DETAIL],
        "link": LINK,
    }


def error_answer(error: OmmaError, request: HttpRequest) -> HttpResponse:
    """Return the whole answer."""
    return JsonResponse(body_of(error), status=code_of(error).status, headers=error_headers(error, request))
