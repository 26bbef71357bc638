"""Which networks an address lies in, seen through every way of wrapping IPv4 in IPv6."""

import ipaddress
from collections.abc import Iterator

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)  # RFC 6052, RFC 8215
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, deprecated
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")  # RFC 1122: Linux routes some of it to itself
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")  # RFC 3879, deprecated
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598, carriers and overlay networks
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack
        "169.254.170.2",  # AWS ECS
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's wire server
        "fd00:ec2::254",  # AWS over IPv6
        "fd20:ce::254",  # Google over IPv6
    )
)


def faces(address: IpAddress) -> Iterator[IpAddress]:
    """Yield the address and every IPv4 address that it carries inside."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def why_never(address: IpAddress) -> str:
    """Return why no fetched address may point there, or nothing."""
    if address in _METADATA:
        return "it is a cloud's metadata service"
    if address.is_unspecified or (isinstance(address, ipaddress.IPv4Address) and address in _THIS_NETWORK):
        return "it is no host's address"
    if address.is_loopback:
        return "it is this machine (loopback)"
    if address.is_link_local:
        return "it is link-local"
    if address.is_multicast:
        return "it is a multicast address"
    if isinstance(address, ipaddress.IPv6Address) and address in _SITE_LOCAL:
        return "it is a site-local address"
    if isinstance(address, ipaddress.IPv4Address) and address.is_reserved:
        return "it is a reserved address"
    return ""


def why_not_public(address: IpAddress) -> str:
    """Return why an address is not on the public internet, or nothing."""
    if isinstance(address, ipaddress.IPv4Address) and address in _SHARED:
        return "it is in a shared network"
    if not address.is_global:
        return "it is in a private network"
    return ""
