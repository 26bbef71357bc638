"""Who a proxy speaks for: only what listed networks say about the client is believed.

`X-Forwarded-For` is read from its end, past our own proxies; the first address that is none of them is the
client's. `X-Forwarded-Proto` says whether the client came over https. From anybody else both are ignored, or
else anyone could choose the address under which tries are counted and deeds are written down.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SECURE = {"http": "https", "websocket": "wss"}


class TrustedProxies:
    """Puts the true client into the scope of every request and socket."""

    def __init__(self, application: Application, networks: Sequence[Network]) -> None:
        self._application = application
        self._networks = networks

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self._application(self.true_scope(scope), receive, send)

    def true_scope(self, scope: dict[str, Any]) -> dict[str, Any]:
        """Return the scope as the client itself would have made it."""
        peer = _parsed(scope["client"][0]) if scope.get("client") else None
        if peer is None or not self._is_ours(peer):
            return scope
        changed = {**scope, "client": [str(self._client_behind(peer, scope)), 0]}
        protocol = _values(scope, b"x-forwarded-proto")
        if protocol and protocol[-1].lower() in {"https", "wss"}:
            changed["scheme"] = _SECURE.get(scope["type"], scope.get("scheme", ""))
        return changed

    def _client_behind(self, peer: Address, scope: dict[str, Any]) -> Address:
        """Return the last address that one of ours has vouched for."""
        client = peer
        for text in reversed(_values(scope, b"x-forwarded-for")):
            told = _parsed(text)
            if told is None:
                break
            client = told
            if not self._is_ours(told):
                break
        return client

    def _is_ours(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    """Return a header's comma-separated values, of all lines that it stands in."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return [value.strip() for value in ",".join(lines).split(",") if value.strip()]


def _parsed(text: str) -> Address | None:
    """Return an address that may have a port, and be in brackets; an IPv4 one also when it is wrapped."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
