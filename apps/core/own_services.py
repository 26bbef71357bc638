"""Omma's own ports: the web, the database and the brokers, which no fetched address may reach."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import psutil
from django.conf import settings

from apps.core.networks import IpAddress
from apps.core.resolver import resolve

_DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379}


def is_own(addresses: Iterable[IpAddress], port: int) -> bool:
    """Whether one of the addresses, at this port, is a service of ours."""
    services = [service for service in _services() if service[1] == port]
    if not services:
        return False
    candidates = set(addresses)
    for host, _ in services:
        targets = _addresses_of(host)
        if candidates & targets or any(address.is_loopback for address in candidates):
            return True
    return False


def _services() -> list[tuple[str, int]]:
    """Return host and port of what listens on one (unix sockets do not); no host: every own address."""
    found = [("", settings.OMMA_PORT)]
    for url in (settings.DATABASE_URL, settings.REDIS_URL, settings.BUS_URL):
        parts = urlsplit(url)
        if parts.hostname:
            found.append((parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)))
    return found


def _addresses_of(host: str) -> set[IpAddress]:
    if not host:
        return _own_addresses()
    try:
        found = {ipaddress.ip_address(host)}
    except ValueError:
        found = set(resolve(host))
    # A server on this machine answers at all of its addresses.
    return found | _own_addresses() if any(address.is_loopback for address in found) else found


def _own_addresses() -> set[IpAddress]:
    families = {socket.AF_INET, socket.AF_INET6}
    return {
        ipaddress.ip_address(address.address.partition("%")[0])
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in families
    }
