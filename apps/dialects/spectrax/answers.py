"""How SpectraX answers: successes are the bare object, errors say `status`, `message` and `detail`."""

from functools import partial

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.core.api.envelope import error_headers
from apps.core.exceptions import OmmaError
from apps.dialects import answering


def write_error(error: OmmaError, request: HttpRequest) -> HttpResponse:
    """Return an error; `detail` is where clients of FastAPI look for the message."""
    body = {"status": "error", "message": error.message, "detail": error.message}
    return JsonResponse(body, status=error.status, headers=error_headers(error, request))


reading_view = partial(answering.reading_view, write_error=write_error)
media_view = partial(answering.media_view, write_error=write_error)
