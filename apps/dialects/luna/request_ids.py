"""`Luna-Request-Id`: a time and a uuid that tie a request to the log lines about it."""

import re
import time
from uuid import uuid4

from django.http import HttpRequest

HEADER = "Luna-Request-Id"
_FORM = re.compile(r"[0-9]{10},[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")


def new_request_id() -> str:
    """Return an id in the default form.

    >>> len(new_request_id())
    47
    """
    return f"{int(time.time()):010d},{uuid4()}"


def is_request_id(text: str) -> bool:
    """Tell whether a text has the form of a request id.

    >>> is_request_id("1536751345,8b8b5937-2e9c-4e8b-a7a7-5caf86621b5a"), is_request_id("8b8b5937")
    (True, False)
    """
    return _FORM.fullmatch(text) is not None


def request_id_of(request: HttpRequest) -> tuple[str, bool]:
    """Return the id for this request, and whether what the client sent (if anything) may be used."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return new_request_id(), True
    return (sent, True) if is_request_id(sent) else (new_request_id(), False)
