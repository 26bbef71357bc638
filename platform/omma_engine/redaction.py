"""The one function that takes secrets out of text before anybody may read it."""

import re
from collections.abc import Sequence

_CREDENTIALS_IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s\"'<>]*@", re.IGNORECASE)
_TOKEN = re.compile(r"omt_[A-Za-z0-9_-]{6,}")
_SECRET_PARAMETER = re.compile(
    r"(?P<name>[?&/;_](?:password|passwd|pwd|pass|token|key|secret|signature)=)(?P<value>[^&\s\"'<>]+)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return the text without credentials in addresses, secret parameters and API tokens.

    Parameters also stand in paths: many recorders are addressed as `rtsp://host/user=a_password=b_channel=1`.

    >>> redact("open rtsp://admin:pw@10.0.0.5/main failed")
    'open rtsp://***@10.0.0.5/main failed'
    """
    return _TOKEN.sub("omt_***", hide_parameters(_CREDENTIALS_IN_URL.sub(r"\g<scheme>***@", text))[0])


def hide_parameters(text: str) -> tuple[str, list[str]]:
    """Return the text with `***` in place of secret parameters, and what stood there, in order.

    >>> hide_parameters("http://cam/video?user=a&password=b")
    ('http://cam/video?user=a&password=***', ['b'])
    """
    hidden = [found["value"] for found in _SECRET_PARAMETER.finditer(text)]
    return _SECRET_PARAMETER.sub(r"\g<name>***", text), hidden


def show_parameters(text: str, hidden: Sequence[str]) -> str:
    """Return the text that `hide_parameters` was given."""
    values = iter(hidden)
    return _SECRET_PARAMETER.sub(lambda found: found["name"] + next(values, found["value"]), text)
