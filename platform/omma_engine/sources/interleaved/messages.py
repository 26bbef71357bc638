"""Requests and answers of RTSP 1.0 (RFC 2326)."""

from collections.abc import Mapping
from dataclasses import dataclass

from omma_engine.errors import SourceError

_HEAD_END = b"\r\n\r\n"
_USER_AGENT = "Omma"
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: header names are in lower case, and may come more than once."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first value of a header, empty where there is none."""
        return next((value for each, value in self.headers if each == name), "")

    def all_of(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


def request(method: str, url: str, sequence: int, headers: Mapping[str, str]) -> bytes:
    """Return a request without a body."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", f"User-Agent: {_USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _HEAD_END


def message_size(data: bytes) -> int | None:
    """Return how long the message is that data begins with; None while its head is not whole."""
    end = data.find(_HEAD_END)
    if end < 0:
        return None
    return end + len(_HEAD_END) + _content_length(data[:end])


def parse_answer(message: bytes) -> Answer | None:
    """Return a whole message as an answer; None where it is a request of the camera's.

    Raises `SourceError` for an answer without a status.
    """
    head, _, body = message.partition(_HEAD_END)
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("RTSP/"):
        return None
    status, _, reason = rest.partition(" ")
    code = number(status)
    if code is None:
        raise SourceError("the camera's answer is not understood")
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Answer(code, reason.strip(), headers, body)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return number(value.strip().decode("latin-1")) or 0
    return 0


def number(text: str) -> int | None:
    """Return a number that a camera wrote; None for what is none, or too long to be meant.

    >>> number("554"), number("²"), number("-1"), number("9" * 5000)
    (554, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
