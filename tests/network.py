"""Sockets in tests reach this machine and nothing else."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest


class OutsideWorldError(AssertionError):
    """A test tried to leave this machine."""


def is_local(address: Any) -> bool:
    """Tell whether an address as `socket` takes it is a unix socket or on loopback."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in {"", "localhost"}:
        return True
    try:
        found = ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def guarded(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Return the socket method with a check of the address argument in front."""

    def call(self: socket.socket, *arguments: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(arguments[position]):
            raise OutsideWorldError(f"tests stay on this machine, got {arguments[position]!r}")
        return method(self, *arguments)

    return call


def block_outside_world(patch: pytest.MonkeyPatch) -> None:
    """Refuse to connect or send beyond loopback and unix sockets."""
    patch.setattr(socket.socket, "connect", guarded(socket.socket.connect, 0))
    patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex, 0))
    patch.setattr(socket.socket, "sendto", guarded(socket.socket.sendto, -1))
