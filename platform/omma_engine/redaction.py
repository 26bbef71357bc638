"""The one function that takes secrets out of text before anybody may read it."""

import re

_CREDENTIALS_IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s\"'<>]*@", re.IGNORECASE)
_TOKEN = re.compile(r"omt_[A-Za-z0-9_-]{6,}")
_SECRET_PARAMETER = re.compile(
    r"(?P<name>[?&/;_](?:password|passwd|pwd|pass|token|key|secret|signature)=)[^&\s\"'<>]+", re.IGNORECASE
)


def redact(text: str) -> str:
    """Return the text without credentials in addresses, secret parameters and API tokens.

    Parameters also stand in paths: many recorders are addressed as `rtsp://host/user=a_password=b_channel=1`.

    >>> redact("open rtsp://admin:pw@10.0.0.5/main failed")
    'open rtsp://***@10.0.0.5/main failed'
    """
    text = _CREDENTIALS_IN_URL.sub(r"\g<scheme>***@", text)
    text = _SECRET_PARAMETER.sub(r"\g<name>***", text)
    return _TOKEN.sub("omt_***", text)
