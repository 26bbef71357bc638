"""Which addresses a child may open besides the one it was given: nested playlists and redirects.

The address in the spec was checked by whoever made the spec; this is the second look, at what a camera's own
answer points to.
"""

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from omma_engine.errors import SourceForbiddenError, SourceUnreachableError
from omma_engine.sources.addresses import PORTS, is_camera_network, origin_of
from omma_engine.types import SourceSpec

AddressGuard = Callable[[str], str]
"""Takes an address, returns the numeric host to open, or raises `SourceForbiddenError`."""


def guard_for(spec: SourceSpec) -> AddressGuard:
    """Return the guard of a source: its own host as it was checked, and other hosts by the rule for cameras.

    `options["allowed_networks"]` names networks (CIDR) that are allowed besides.
    """
    own = urlsplit(spec.url)
    networks = spec.options.get("allowed_networks", ())
    allowed = (
        [ipaddress.ip_network(str(each)) for each in networks] if isinstance(networks, (list, tuple)) else []
    )

    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise SourceForbiddenError(f"an address of scheme {parts.scheme or 'none'} is not opened")
        if spec.numeric_host and origin_of(parts) == origin_of(own):
            return spec.numeric_host
        for numeric in _resolve(parts):
            if not is_camera_network(numeric) and not any(
                ipaddress.ip_address(numeric) in each for each in allowed
            ):
                raise SourceForbiddenError(f"the camera points to {parts.hostname}, where no camera may be")
            return numeric
        raise SourceUnreachableError(f"the name {parts.hostname} has no address")

    return check


def _resolve(parts: SplitResult) -> list[str]:
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnreachableError(f"the name {parts.hostname} cannot be resolved") from error
    return [str(address[0]) for *_, address in found]
