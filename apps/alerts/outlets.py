"""The port of the ways out: what can be checked and sent over HTTP today, and over others later.

An outlet belongs to a kind of target, and is registered in `AppConfig.ready`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from apps.alerts.messages import Body


@dataclass(frozen=True, slots=True)
class Secret:
    """What of a target is sealed: where it is, and what opens it."""

    address: str
    signing_key: str
    authorization: Mapping[str, str] = field(default_factory=dict)  # type, and username and password or token
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One try to send something. `is_repeat`: the receiver may have had it already."""

    id: UUID
    body: Body
    secret: Secret = field(repr=False)
    options: Mapping[str, Any]
    at: datetime
    is_repeat: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try. `error` is empty when the receiver has it."""

    status: int | None = None
    error: str = ""
    retry_after_s: float | None = None

    @property
    def is_ok(self) -> bool:
        return not self.error


class Outlet(Protocol):
    """A way out. `send` never raises for what the other side does, and ends within its timeout."""

    def place_of(self, secret: Secret) -> str:
        """Check address, login, headers and return the part of the address that may be shown."""
        ...

    def checked_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check what else can be set; refusals name the field."""
        ...

    def send(self, parcel: Parcel) -> Answer: ...


_outlets: dict[str, Outlet] = {}  # filled once, while the apps get ready


def register(kind: str, outlet: Outlet) -> None:
    """Say what sends to targets of a kind."""
    _outlets[kind] = outlet


def outlet_for(kind: str) -> Outlet:
    """Return what sends to targets of a kind."""
    return _outlets[kind]
