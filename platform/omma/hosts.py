"""The names under which Omma may be asked for when nobody has listed them."""

import ipaddress
import socket

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def accepted_hosts(listed: list[str], host: str) -> list[str]:
    """Return the listed names, else this machine's own when it listens beyond loopback, and loopback."""
    if listed:
        return [*LOOPBACK, *listed]
    return LOOPBACK if is_loopback(host) else [*LOOPBACK, *own_names()]


def is_loopback(host: str) -> bool:
    """Tell whether a server that listens there can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_names() -> list[str]:
    """Return this machine's host name and addresses, as they stand in a Host header."""
    import psutil  # for whoever answers requests from other machines, and nobody else

    names = {socket.gethostname().lower()}
    for addresses in psutil.net_if_addrs().values():
        for found in addresses:
            if found.family == socket.AF_INET:
                names.add(found.address)
            elif found.family == socket.AF_INET6 and "%" not in found.address:
                names.add(f"[{found.address}]")
    return sorted(names - set(LOOPBACK))
