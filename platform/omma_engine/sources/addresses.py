"""Addresses as they are opened: the numeric host that was checked in place of the name."""

import ipaddress
from urllib.parse import SplitResult, urlsplit, urlunsplit

from omma_engine.errors import SourceUnsupportedError


def with_numeric_host(url: str, numeric_host: str) -> str:
    """Return the address with its host replaced; user, port, path and query stay.

    >>> with_numeric_host("rtsp://u:p@cam.local:8554/main", "10.0.0.5")
    'rtsp://u:p@10.0.0.5:8554/main'
    """
    if not numeric_host:
        return url
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{numeric_host}]" if ":" in numeric_host else numeric_host
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}{port}"))


def require_scheme(url: str, schemes: frozenset[str]) -> None:
    """Refuse an address of another scheme."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in schemes:
        raise SourceUnsupportedError(
            f"expected an address of {', '.join(sorted(schemes))}, got {scheme or 'none'}"
        )


def is_camera_network(address: str) -> bool:
    """Return whether a camera may be at this numeric address when nobody said otherwise.

    Private networks are where cameras live; this host itself, link-local addresses (cloud metadata among
    them), multicast and reserved ranges are not.
    """
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)


def without_login(url: str) -> str:
    """Return the address without user and password.

    >>> without_login("http://u:p@cam.local/video")
    'http://cam.local/video'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_login_for_origin(url: str, own_url: str) -> str:
    """Return the address with the login of our own address where it has the same origin, else with none.

    >>> with_login_for_origin("rtsp://cam:554/two", "rtsp://u:p@cam/one")
    'rtsp://u:p@cam:554/two'
    >>> with_login_for_origin("rtsp://x:y@other/two", "rtsp://u:p@cam/one")
    'rtsp://other/two'
    """
    plain = without_login(url)
    parts, own = urlsplit(plain), urlsplit(own_url)
    login, at, _ = own.netloc.rpartition("@")
    if origin_of(parts) != origin_of(own):
        return plain
    return urlunsplit(parts._replace(netloc=f"{login}{at}{parts.netloc}"))


PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


def origin_of(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, which is the scheme's usual one where none is given."""
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
