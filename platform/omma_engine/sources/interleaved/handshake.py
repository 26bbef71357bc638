"""Opening a session: describe, set up, play (RFC 2326, 10), and keeping it open."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from omma_engine.errors import (
    SourceAuthError,
    SourceBusyError,
    SourceError,
    SourceNotFoundError,
    SourceUnreachableError,
)
from omma_engine.sources.addresses import without_login
from omma_engine.sources.interleaved.description import Description, Medium, parse_description, resolved
from omma_engine.sources.interleaved.line import Frame, Line
from omma_engine.sources.interleaved.login import Login
from omma_engine.sources.interleaved.messages import Answer, parse_answer, request

_DEFAULT_PORT = 554
_DEFAULT_TIMEOUT_S = 60
_INTERLEAVED = re.compile(r"interleaved=([0-9]{1,3})")
_TIMEOUT = re.compile(r"timeout\s*=\s*([0-9]{1,9})")
_BUSY = frozenset({453, 486, 503})
_REFUSALS = {401: SourceAuthError, 403: SourceAuthError, 404: SourceNotFoundError}


class RedirectedError(SourceError):
    """The camera points to another address, its only argument."""

    @property
    def location(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that can be repeated with a login."""

    method: str
    url: str
    headers: dict[str, str]


class Dialogue:
    """Requests and answers on a line. `on_media` takes the media that come before an answer. One thread."""

    def __init__(self, url: str, *, deadline_s: float, on_media: Callable[[Frame], None]) -> None:
        """Connect. `deadline_s` (monotonic) bounds the opening; raises `OSError`."""
        parts = urlsplit(url)
        self._deadline_s = deadline_s
        self._on_media = on_media
        self._login = Login(unquote(parts.username or ""), unquote(parts.password or ""))
        self._sequence = 0
        self._session = ""
        self._methods = ""
        self._base = self.url = without_login(urlunsplit(parts._replace(fragment="")))
        self._description: Description | None = None
        self.timeout_s = _DEFAULT_TIMEOUT_S
        self.line = Line.to(parts.hostname or "", parts.port or _DEFAULT_PORT, self._left_s())

    def describe(self) -> Description:
        """Ask what the camera has; raises `SourceError`s and `OSError`."""
        self._methods = self._ask(_Asked("OPTIONS", self.url, {}), may_refuse=True).header("public").upper()
        answer = self._ask(_Asked("DESCRIBE", self.url, {"Accept": "application/sdp"}))
        self._base = answer.header("content-base") or answer.header("content-location") or self.url
        description = parse_description(answer.body.decode("utf-8", "replace"))
        self._base = resolved(self._base, description.control)
        return description

    def set_up(self, medium: Medium, channel: int) -> int:
        """Have a medium sent on a channel and its successor; return the one that the camera chose."""
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        answer = self._ask(_Asked("SETUP", resolved(self._base, medium.control), {"Transport": transport}))
        session = answer.header("session")
        self._session = session.partition(";")[0].strip() or self._session
        if timeout := _TIMEOUT.search(session):
            self.timeout_s = max(10, int(timeout[1]))
        chosen = _INTERLEAVED.search(answer.header("transport"))
        return int(chosen[1]) if chosen else channel

    def play(self) -> None:
        self._ask(_Asked("PLAY", self._base, {"Range": "npt=0.000-"}))

    def keep_open(self) -> None:
        """Ask for nothing, so that the camera knows that somebody is there; the answer comes as it may."""
        self._say(_Asked("GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS", self._base, {}))

    def take_late(self, answer: Answer) -> None:
        """Take an answer that nobody waits for: a camera may want a login made anew."""
        if answer.status == 401:
            self._login.challenge(answer.all_of("www-authenticate"))

    def end(self) -> None:
        """Say that the session is over, if the camera still listens, and hang up."""
        try:
            if self._session:
                self._say(_Asked("TEARDOWN", self._base, {}))
        except OSError:
            return
        finally:
            self.line.close()

    def _ask(self, asked: _Asked, *, may_refuse: bool = False) -> Answer:
        """Return the answer to a request, which is made once more with a login where it takes one."""
        sequence = self._say(asked)
        answer = self._answer_to(sequence)
        can_log_in = self._login.is_given and answer.status == 401
        if can_log_in and self._login.challenge(answer.all_of("www-authenticate")):
            answer = self._answer_to(self._say(asked))
        if answer.status != 200 and not (may_refuse and answer.status >= 400):
            raise _refusal(answer)
        return answer

    def _say(self, asked: _Asked) -> int:
        self._sequence += 1
        headers = asked.headers | self._login.headers(asked.method, asked.url)
        if self._session:
            headers["Session"] = self._session
        self.line.send(request(asked.method, asked.url, self._sequence, headers))
        return self._sequence

    def _answer_to(self, sequence: int) -> Answer:
        found: Answer | None = None
        while found is None:
            for frame in self.line.frames():
                if frame.channel is not None:
                    self._on_media(frame)
                    continue
                answer = parse_answer(bytes(frame.data))
                if answer is not None and answer.header("cseq") in {str(sequence), ""}:
                    found = answer
            if found is None and not self.line.receive(self._left_s()):
                raise SourceUnreachableError("the camera hung up before it answered")
        return found

    def _left_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _refusal(answer: Answer) -> SourceError:
    words = f"the camera answered {answer.status} {answer.reason}".strip()
    location = answer.header("location")
    if 300 <= answer.status < 400 and location:
        return RedirectedError(location)
    if answer.status in _BUSY:
        return SourceBusyError(f"the camera takes no further session (it answered {answer.status})")
    return _REFUSALS.get(answer.status, SourceError)(words)
