"""From what people type to a driver, an address without credentials, and the login apart."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from apps.cameras.models import Driver
from apps.core.addresses import parse_network_address
from apps.core.egress import CheckedAddress, check_camera_address, kept_address, trusted_origin_of
from apps.core.exceptions import InvalidAddressError, InvalidInputError
from omma_engine.errors import SourceUnsupportedError
from omma_engine.sources.scene_options import scene_options

_AWAY = {"address_unresolved", "address_not_found"}
_SCHEMES = {"rtsp", "rtsps", "http", "https"}
_BY_SCHEME = {"rtsp": Driver.RTSP, "rtsps": Driver.RTSP, "synthetic": Driver.SYNTHETIC, "file": Driver.FILE}


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A checked address without credentials; `trusted_origin` is empty unless the host's owner gave it."""

    driver: Driver
    address: str
    checked: CheckedAddress
    username: str = ""
    password: str = field(default="", repr=False)
    trusted_origin: str = ""


def read_camera_address(
    address: str,
    *,
    driver: str | None = None,
    username: str = "",
    password: str = "",
    trusted_origin: str = "",
    is_trusted: bool = False,
    may_be_away: bool = False,
) -> CameraAddress:
    """Check an address and take it apart; credentials given beside it win over those in it.

    With `may_be_away` it need not lead anywhere yet; it is checked again each time before it is opened.
    Raise `InvalidInputError` and its kin, naming `address` or `driver`.
    """
    text = address.strip()
    chosen = _driver_for(text, driver)
    if chosen is Driver.SYNTHETIC:
        _check_scene(text)
    if is_trusted:
        trusted_origin = "" if chosen is Driver.SYNTHETIC else trusted_origin_of(text)
    try:
        checked = check_camera_address(text, trusted_origin, driver=chosen.value)
    except InvalidAddressError as error:
        if not may_be_away or error.error_code not in _AWAY:
            raise
        checked = _absent_address(text)
    return CameraAddress(
        driver=chosen,
        address=checked.url,
        checked=checked,
        username=username or checked.username,
        password=password or checked.password,
        trusted_origin=trusted_origin,
    )


def address_as_kept(address: str) -> str:
    """Return a trusted address as its camera keeps it, without asking whether it is there.

    Raise `InvalidInputError` and its kin, naming `address`.
    """
    text = address.strip()
    return text if guess_driver(text) is Driver.SYNTHETIC else kept_address(text)


def guess_driver(address: str) -> Driver:
    """Return the driver that an address speaks of.

    >>> guess_driver("http://cam.local/live/index.m3u8")
    Driver.HLS
    """
    if address.startswith("/dev/"):
        return Driver.V4L2
    if "://" not in address and not address.startswith("synthetic:"):
        return Driver.FILE
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"}:
        return Driver.HLS if parts.path.lower().endswith((".m3u8", ".m3u")) else Driver.MJPEG
    try:
        return _BY_SCHEME[parts.scheme]
    except KeyError:
        raise InvalidInputError(
            f"Expected an address that begins with rtsp://, http:// or https://, got {parts.scheme}://.",
            field="address",
        ) from None


def _absent_address(text: str) -> CheckedAddress:
    """Return an address as it is kept, of what is not there; in form it has been found good."""
    if "://" not in text or text.startswith("file:"):
        return CheckedAddress(url=kept_address(text), scheme="file")
    parsed = parse_network_address(text, schemes=frozenset(_SCHEMES))
    return CheckedAddress(
        url=parsed.url(), scheme=parsed.scheme, username=parsed.username, password=parsed.password
    )


def _check_scene(address: str) -> None:
    try:
        scene_options(address, {})
    except SourceUnsupportedError as error:
        raise InvalidAddressError(f"{error}.", field="address") from error


def _driver_for(address: str, driver: str | None) -> Driver:
    if not driver:
        return guess_driver(address)
    try:
        return Driver(driver)
    except ValueError:
        known = ", ".join(Driver.values)
        raise InvalidInputError(f"Expected one of {known}, got {driver!r}.", field="driver") from None
