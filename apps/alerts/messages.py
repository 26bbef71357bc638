"""What is told, and how it is written: the port through which formats are added.

A format is a function from a `Message` to a `Body`, registered under a name in `AppConfig.ready`; None means
that this target is told nothing of it. It runs just before each try to send, so it has to give the same for
the same message.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Message:
    """One notification, as plain values.

    `kind` is an `apps.alerts.models.NoticeKind`; `payload` is what the news said, for a digest the sums.
    `owner_kind` and `owner_id` are those of the target, `options` its own for the format.
    """

    id: UUID
    kind: str
    at: datetime
    account_id: UUID
    camera_id: UUID | None
    camera_name: str
    subject_kind: str
    subject_id: UUID | None
    payload: Mapping[str, Any]
    count: int = 1
    owner_kind: str = ""
    owner_id: UUID | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes = field(default=b"", repr=False)  # JPEG, where the target wants one and there is one


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, and of which type it is."""

    content: bytes
    content_type: str = JSON_TYPE


Format = Callable[[Message], Body | None]
DEFAULT = "omma"

_formats: dict[str, Format] = {}  # filled once, while the apps get ready


def register_format(name: str, write: Format) -> None:
    """Add a way to write messages."""
    _formats[name] = write


def format_names() -> list[str]:
    """Return the names of all formats."""
    return sorted(_formats)


def write(name: str, message: Message) -> Body | None:
    """Write a message; a format that no longer exists is the default one."""
    return _formats.get(name, write_omma)(message)


def write_omma(message: Message) -> Body:
    """Write a message as Omma does: type, time and data, as Standard Webhooks advise."""
    told: dict[str, Any] = {
        "id": str(message.id),
        "type": message.kind,
        "timestamp": rfc3339(message.at),
        "account": str(message.account_id),
        "camera": (
            {"id": str(message.camera_id), "name": message.camera_name} if message.camera_id else None
        ),
        "subject": {"kind": message.subject_kind, "id": str(message.subject_id or "")},
        "count": message.count,
        "data": dict(message.payload),
    }
    if message.picture:
        told["picture"] = {"type": "image/jpeg", "base64": base64.b64encode(message.picture).decode("ascii")}
    return Body(json.dumps(told, ensure_ascii=False, sort_keys=True).encode())


def rfc3339(at: datetime) -> str:
    """Return a time in UTC with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
