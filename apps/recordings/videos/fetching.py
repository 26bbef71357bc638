"""Fetching a video from an address: checked at each step, opened at the numeric address, bounded."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from apps.core.egress import CheckedAddress, check_outbound
from apps.core.exceptions import InvalidInputError, OmmaError, PayloadTooLargeError, UnavailableError
from omma_engine.redaction import redact

SCHEMES = frozenset({"http", "https"})
MAX_FETCHED_BYTES = 1 << 30
LIMIT_S = 150.0  # within one turn of a job
_MOST_REDIRECTS = 4
_CHUNK_BYTES = 1 << 18
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)


def fetch(address: str, path: Path, *, report: Callable[[float], None], limit_s: float = LIMIT_S) -> int:
    """Write what an address gives into a file and return how many bytes that was.

    Raises `InvalidInputError` and its kin naming `address`; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline_s = time.monotonic() + limit_s
    try:
        with httpx.Client(follow_redirects=False, trust_env=False, timeout=_TIMEOUT) as client:
            return _receive(_open(client, address), path, deadline_s, report)
    except httpx.HTTPError as exc:
        path.unlink(missing_ok=True)
        raise UnavailableError(f"The video cannot be fetched: {redact(str(exc))}.") from exc
    except OmmaError:
        path.unlink(missing_ok=True)
        raise


def check(address: str) -> CheckedAddress:
    """Return the address if it may be fetched from."""
    return check_outbound(address, schemes=SCHEMES)


def _open(client: httpx.Client, address: str) -> httpx.Response:
    for _ in range(_MOST_REDIRECTS + 1):
        checked = check(address)
        request = client.build_request(
            "GET",
            checked.numeric_url,
            headers={"Host": urlsplit(checked.url).netloc, "User-Agent": "Omma", "Accept": "*/*"},
            extensions={"sni_hostname": checked.host},
        )
        login = httpx.BasicAuth(checked.username, checked.password) if checked.username else None
        response = client.send(request, auth=login, stream=True)
        location = response.headers.get("location")
        if not (response.is_redirect and location):
            return response
        response.close()
        address = urljoin(checked.url, location)
    raise InvalidInputError(f"Expected at most {_MOST_REDIRECTS} redirects.", field="address")


def _receive(response: httpx.Response, path: Path, deadline_s: float, report: Callable[[float], None]) -> int:
    with contextlib.closing(response), path.open("wb") as file:
        if response.status_code != httpx.codes.OK:
            raise InvalidInputError(f"The server answers {response.status_code}.", field="address")
        stated = response.headers.get("content-length", "")
        expected = int(stated) if stated.isascii() and stated.isdecimal() and len(stated) < 18 else 0
        size = 0
        for chunk in response.iter_bytes(_CHUNK_BYTES):
            size += len(chunk)
            if max(size, expected) > MAX_FETCHED_BYTES:
                raise PayloadTooLargeError(
                    f"A video from an address may have at most {MAX_FETCHED_BYTES >> 20} MB.", field="address"
                )
            if time.monotonic() > deadline_s:
                raise InvalidInputError(
                    "The video did not come whole in time.", code="fetch_timeout", field="address"
                )
            file.write(chunk)
            if expected:
                report(min(1.0, size / expected))
        return size
