"""Addresses that people write, taken apart once and strictly, so that no two readers differ about one."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from apps.core.exceptions import InvalidAddressError

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
_HOST_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?")
_NUMERIC_LABEL = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class NetworkAddress:
    """A parsed address. `host` is lower case, an IPv6 address without brackets; credentials are unquoted."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def origin(self) -> str:
        """`scheme://host:port`, always with the port: what trust is given to."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    def url(self, *, host: str | None = None, with_credentials: bool = False) -> str:
        """Return the address written anew, with another host where one is given (the numeric one)."""
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        login = self._login() if with_credentials else ""
        return f"{self.scheme}://{login}{bracketed(host or self.host)}{port}{self.path}{query}"

    def _login(self) -> str:
        if not self.username and not self.password:
            return ""
        return f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"


def bracketed(host: str) -> str:
    """Return the host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_network_address(text: str, *, schemes: frozenset[str], field: str = "address") -> NetworkAddress:
    """Take an address apart; raise `InvalidAddressError`, naming the field, for anything unclear."""
    refuse_odd_characters(text, field=field)
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as exc:
        raise InvalidAddressError(f"This is not an address that can be read: {exc}.", field=field) from exc
    scheme = parts.scheme.lower()
    if scheme not in schemes:
        listed = ", ".join(f"{name}://" for name in sorted(schemes))
        raise InvalidAddressError(f"Expected an address that begins with one of: {listed}.", field=field)
    if port == 0:
        raise InvalidAddressError("Port 0 cannot be opened.", field=field)
    return NetworkAddress(
        scheme=scheme,
        host=_checked_host(host, in_brackets="[" in parts.netloc, field=field),
        port=port or DEFAULT_PORTS[scheme],
        path=parts.path,
        query=parts.query,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def refuse_odd_characters(text: str, *, field: str) -> None:
    """Refuse what readers of addresses strip, fold or cut at: blanks, control characters, backslashes."""
    if not text:
        raise InvalidAddressError("An address is needed.", field=field)
    if len(text) > _MAX_LENGTH:
        raise InvalidAddressError(f"An address has at most {_MAX_LENGTH} characters.", field=field)
    for character in text:
        if character == "\\" or character.isspace() or unicodedata.category(character).startswith("C"):
            raise InvalidAddressError(
                "An address holds no blanks, backslashes or control characters.", field=field
            )


def _checked_host(host: str, *, in_brackets: bool, field: str) -> str:
    if not host:
        raise InvalidAddressError("The address names no host.", field=field)
    if not host.isascii() or "%" in host:
        raise InvalidAddressError("A host name has only letters, digits, dots and hyphens.", field=field)
    if in_brackets:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as exc:
            raise InvalidAddressError(f"[{host}] is not an IPv6 address.", field=field) from exc
    return _checked_name_or_ipv4(host.lower(), field=field)


def _checked_name_or_ipv4(host: str, *, field: str) -> str:
    if all(_NUMERIC_LABEL.fullmatch(label) for label in host.rstrip(".").split(".")):
        # Decimal, octal, hexadecimal and short forms mean different hosts to different readers.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as exc:
            raise InvalidAddressError(
                "Write an IPv4 address as four plain decimal numbers.", field=field
            ) from exc
    if not _HOST_NAME.fullmatch(host):
        raise InvalidAddressError("A host name has only letters, digits, dots and hyphens.", field=field)
    return host.rstrip(".")
