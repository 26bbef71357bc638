"""The egress guard: every address that Omma is told to fetch passes here, and only its result is opened.

Two classes. *camera*: private networks are allowed. *outbound* (webhooks, model and video addresses): they
are not. Both refuse loopback, link-local, metadata, unspecified, multicast and reserved addresses, and Omma's
own services; `OMMA_EGRESS_ALLOW` lists networks that are allowed all the same (own services never are). A
name is resolved once, *all* its addresses must pass, and the caller opens the numeric one, so that the name
cannot change its mind in between.

An address given on the command line is the host owner's: its exact origin (`trusted_origin_of`) is opened as
it is.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

from django.conf import settings

from apps.core import own_services
from apps.core.addresses import NetworkAddress, bracketed, parse_network_address, refuse_odd_characters
from apps.core.exceptions import ForbiddenAddressError, InvalidAddressError
from apps.core.networks import IpAddress, faces, why_never, why_not_public
from apps.core.resolver import resolve

Resolver = Callable[[str], list[IpAddress]]

_NETWORK_SCHEMES = {
    "rtsp": frozenset({"rtsp", "rtsps"}),
    "hls": frozenset({"http", "https"}),
    "mjpeg": frozenset({"http", "https"}),
}
_ALL_CAMERA_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
_DEVICE_FOLDER = "/dev/"
_LONGEST_PATH = 1000


class EgressClass(StrEnum):
    """What the address is for."""

    CAMERA = "camera"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """An address that may be opened.

    `url` is written anew, without credentials. `numeric_host` is the address to connect to (IPv6 without
    brackets); `numeric_url` is `url` with it. Both are empty for files and devices, which have `path`.
    """

    url: str
    scheme: str
    host: str = ""
    port: int = 0
    numeric_host: str = ""
    numeric_url: str = ""
    path: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    is_trusted: bool = False

    @property
    def origin(self) -> str:
        """What trust would be given to: `scheme://host:port`, or the path."""
        return self.url if self.path is not None else f"{self.scheme}://{bracketed(self.host)}:{self.port}"


def check_camera_address(
    address: str,
    trusted_origin: str = "",
    *,
    driver: str = "",
    field: str = "address",
    resolver: Resolver = resolve,
) -> CheckedAddress:
    """Check a camera's address, of whatever kind; `driver` narrows the schemes to its own.

    Raise `InvalidAddressError` or `ForbiddenAddressError`, both naming the field.
    """
    if driver == "synthetic" or address.startswith("synthetic:"):
        return _check_synthetic(address, driver, field)
    if driver in {"file", "v4l2"} or "://" not in address or address.startswith("file:"):
        return _check_local(address, trusted_origin, driver, field)
    schemes = _NETWORK_SCHEMES.get(driver, _ALL_CAMERA_SCHEMES)
    parsed = parse_network_address(address, schemes=schemes, field=field)
    return _check_network(parsed, EgressClass.CAMERA, trusted_origin, field, resolver)


def check_outbound(
    url: str,
    *,
    schemes: frozenset[str] = frozenset({"https"}),
    trusted_origin: str = "",
    field: str = "address",
    resolver: Resolver = resolve,
) -> CheckedAddress:
    """Check an address on the internet that Omma is told to call or to fetch from."""
    parsed = parse_network_address(url, schemes=schemes, field=field)
    return _check_network(parsed, EgressClass.OUTBOUND, trusted_origin, field, resolver)


def trusted_origin_of(address: str) -> str:
    """Return what to trust for an address from the command line: its origin, or its real path."""
    if "://" in address and not address.startswith("file:"):
        return parse_network_address(address, schemes=_ALL_CAMERA_SCHEMES).origin
    return str(_local_path(address))


def kept_address(address: str) -> str:
    """Return an address as `check_camera_address` would return it, without asking whether it is there."""
    if "://" in address and not address.startswith("file:"):
        return parse_network_address(address, schemes=_ALL_CAMERA_SCHEMES).url()
    return str(_local_path(address))


def why_refused(address: IpAddress, purpose: EgressClass) -> str:
    """Return why this numeric address may not be opened, or nothing."""
    allowed = [ipaddress.ip_network(text, strict=False) for text in settings.OMMA_EGRESS_ALLOW]
    for face in faces(address):
        if any(face.version == network.version and face in network for network in allowed):
            continue
        reason = why_never(face) or (why_not_public(face) if purpose is EgressClass.OUTBOUND else "")
        if reason:
            return reason
    return ""


def _check_network(
    parsed: NetworkAddress, purpose: EgressClass, trusted_origin: str, field: str, resolver: Resolver
) -> CheckedAddress:
    is_trusted = bool(trusted_origin) and parsed.origin == trusted_origin
    found = _resolved(parsed.host, field, resolver)
    if not is_trusted:
        _refuse_forbidden(found, parsed.port, purpose, field)
    # IPv4 first: cameras that announce both often listen on one only.
    chosen = min(found, key=lambda address: address.version)
    return CheckedAddress(
        url=parsed.url(),
        scheme=parsed.scheme,
        host=parsed.host,
        port=parsed.port,
        numeric_host=str(chosen),
        numeric_url=parsed.url(host=str(chosen)),
        username=parsed.username,
        password=parsed.password,
        is_trusted=is_trusted,
    )


def _resolved(host: str, field: str, resolver: Resolver) -> list[IpAddress]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        found = resolver(host)
    if not found:
        raise InvalidAddressError(f"The host {host} cannot be found.", code="address_unresolved", field=field)
    return found


def _refuse_forbidden(found: list[IpAddress], port: int, purpose: EgressClass, field: str) -> None:
    for address in found:
        reason = why_refused(address, purpose)
        if not reason and own_services.is_own(faces(address), port):
            reason = "it is one of Omma's own services"
        if reason:
            raise ForbiddenAddressError(f"This address may not be used: {reason}.", field=field)


def _check_synthetic(address: str, driver: str, field: str) -> CheckedAddress:
    refuse_odd_characters(address, field=field)
    if not address.startswith("synthetic:") or driver not in {"", "synthetic"}:
        raise InvalidAddressError("A synthetic camera's address begins with synthetic:.", field=field)
    return CheckedAddress(url=address, scheme="synthetic")


def _check_local(address: str, trusted_origin: str, driver: str, field: str) -> CheckedAddress:
    if "://" in address and not address.startswith("file:///"):
        raise InvalidAddressError("Expected the path of a file or device.", field=field)
    path = _local_path(address, field)
    is_trusted = bool(trusted_origin) and str(path) == trusted_origin
    is_device = str(path).startswith(_DEVICE_FOLDER)
    if not is_trusted and (
        is_device or not path.is_relative_to((settings.OMMA_DATA_DIR / "media").resolve())
    ):
        raise ForbiddenAddressError(
            "Only files in the media folder of Omma's data can be named; others come from the command line.",
            field=field,
        )
    if driver == "v4l2" and not is_device:
        raise InvalidAddressError("Expected a device such as /dev/video0.", field=field)
    if driver == "file" and is_device:
        raise InvalidAddressError("Expected a video file, not a device.", field=field)
    if not path.exists() or (not is_device and not path.is_file()):
        raise InvalidAddressError("There is no such file or device.", code="address_not_found", field=field)
    return CheckedAddress(
        url=str(path), scheme="v4l2" if is_device else "file", path=path, is_trusted=is_trusted
    )


def _local_path(address: str, field: str = "address") -> Path:
    """Return the real path behind a path or a `file:///…` address, links followed."""
    text = unquote(address.removeprefix("file://")) if address.startswith("file:///") else address
    if not text or len(text) > _LONGEST_PATH or any(ord(one) < 32 or ord(one) == 127 for one in text):
        raise InvalidAddressError(
            f"A path has 1 to {_LONGEST_PATH} characters, and no control characters.", field=field
        )
    try:
        return Path(text).resolve()
    except (OSError, RuntimeError, UnicodeError) as exc:  # a loop of links, a name that is no text
        raise InvalidAddressError("This path cannot be followed.", field=field) from exc
