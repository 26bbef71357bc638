"""The HTTP client of camera sources: every open checked, at a numeric address, bounded in time and size.

Redirects are followed one by one, each checked like a new address; a login goes only to the origin that it
belongs to. Certificates are not verified: cameras sign their own, and there is nothing to compare them with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from omma_engine.errors import (
    SourceAuthError,
    SourceError,
    SourceNotFoundError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.sources.addresses import with_numeric_host, without_login
from omma_engine.sources.base import OPEN_TIMEOUT_S, READ_TIMEOUT_S
from omma_engine.sources.guard import AddressGuard

_MOST_REDIRECTS = 4
_HEADERS = {"User-Agent": "Omma", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is still to be read; `url` is the address that gave it, without a login."""

    url: str
    headers: Mapping[str, str]
    response: httpx.Response

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes. Raises `SourceStalledError` when it stops coming."""
        try:
            yield from self.response.iter_bytes()
        except httpx.HTTPError as error:
            raise _error_of(error, was_open=True) from error

    def body(self, most_bytes: int) -> bytes:
        """Return the whole body; raises `SourceUnsupportedError` where it is larger than it may be."""
        parts, size = [], 0
        try:
            for chunk in self.chunks():
                size += len(chunk)
                if size > most_bytes:
                    raise SourceUnsupportedError(f"expected at most {most_bytes} bytes from {self.url}")
                parts.append(chunk)
        finally:
            self.response.close()
        return b"".join(parts)


class CameraHttp:
    """Opens addresses of one source. One thread."""

    def __init__(self, url: str, guard: AddressGuard, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        """`url` is the source's own address: its login goes to its origin and to no other."""
        parts = urlsplit(url)
        self._guard = guard
        self._origin = (parts.scheme, parts.hostname, parts.port)
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._auth: httpx.Auth | None = None
        self._client = httpx.Client(
            verify=False,  # noqa: S501 (cameras sign their own certificates)
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # cameras hang up on connections that wait
            timeout=httpx.Timeout(read_timeout_s, connect=min(OPEN_TIMEOUT_S, read_timeout_s + 1.0)),
            headers=_HEADERS,
        )

    def open(self, url: str) -> Answer:
        """Open an address for reading, following redirects. Raises `SourceError`s."""
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._ask(url)
            location = response.headers.get("location")
            if not (response.is_redirect and location):
                return Answer(without_login(url), response.headers, response)
            response.close()
            url = urljoin(url, location)
        raise SourceUnsupportedError(f"expected at most {_MOST_REDIRECTS} redirects")

    def close(self) -> None:
        self._client.close()

    def _ask(self, url: str) -> httpx.Response:
        response = self._send(url, self._auth_for(url))
        if response.status_code == httpx.codes.UNAUTHORIZED and self._is_own(url) and self._login:
            self._auth = self._auth_wanted(response.headers.get("www-authenticate", ""))
            response.close()
            response = self._send(url, self._auth)
        if response.status_code >= httpx.codes.BAD_REQUEST:
            response.close()
            raise _error_of_status(response.status_code)
        return response

    def _send(self, url: str, auth: httpx.Auth | None) -> httpx.Response:
        parts = urlsplit(url)
        numeric = self._guard(url)
        request = self._client.build_request(
            "GET",
            with_numeric_host(without_login(url), numeric),
            headers={"Host": parts.netloc.rpartition("@")[2]},
            extensions={"sni_hostname": parts.hostname or ""},
        )
        request.headers.encoding = "utf-8"  # of names and realms in a Digest answer (RFC 7616, 4)
        try:
            return self._client.send(request, auth=auth, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _error_of(error, was_open=False) from error
        except (KeyError, ValueError, NotImplementedError) as error:  # a challenge that httpx cannot answer
            raise SourceAuthError("the camera asks for its login in an unknown way") from error

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port) == self._origin

    def _auth_for(self, url: str) -> httpx.Auth | None:
        return self._auth if self._is_own(url) else None

    def _auth_wanted(self, challenge: str) -> httpx.Auth:
        name, password = self._login or ("", "")
        is_digest = challenge.lower().lstrip().startswith("digest")
        return httpx.DigestAuth(name, password) if is_digest else httpx.BasicAuth(name, password)


def _error_of(error: Exception, *, was_open: bool) -> SourceError:
    words = str(error) or type(error).__name__
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return SourceUnsupportedError(words)
    if isinstance(error, httpx.TimeoutException):
        words = "the camera stopped answering"
    return SourceStalledError(words) if was_open else SourceUnreachableError(words)


def _error_of_status(status: int) -> SourceError:
    words = f"the camera answered {status}"
    if status in {401, 403}:
        return SourceAuthError(words)
    if status in {404, 410}:
        return SourceNotFoundError(words)
    return SourceUnreachableError(words) if status >= 500 else SourceError(words)
