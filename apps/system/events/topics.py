"""What a connection asked for, and which news that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs
from uuid import UUID

from apps.accounts.access import Action, Resource
from apps.core.outbox import Cursor, OutboxRow

DETECTION = "detection"
CHANGES = frozenset({"created", "updated", "deleted"})


@dataclass(frozen=True, slots=True)
class Topic:
    """Which right news of this kind takes, and whether a row without cameras shows all of the account's."""

    action: Action = Action.VIEW
    shows_cameras: bool = True


TOPICS: Mapping[str, Topic] = {
    "camera": Topic(),
    "stream": Topic(),
    "source": Topic(),
    "recording": Topic(),
    "export": Topic(action=Action.PLAYBACK),
    "rule": Topic(),
    "event": Topic(),
    "task": Topic(),
    "model": Topic(shows_cameras=False),
    "system": Topic(action=Action.SEE_SYSTEM),
    "member": Topic(action=Action.MANAGE_MEMBERS),
}


class BadSubscriptionError(ValueError):
    """The address asks for something that does not exist; `code` names what."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Subscription:
    """Topics, the cameras that they are about (none: all that may be seen), and where to go on."""

    topics: frozenset[str]
    camera_ids: frozenset[UUID]
    cursor: Cursor | None

    @property
    def wants_detections(self) -> bool:
        return DETECTION in self.topics

    def wants(self, row: OutboxRow) -> bool:
        subject, _, change = row.kind.rpartition(".")
        if subject not in self.topics or change not in CHANGES:
            return False
        return not self.camera_ids or not self.camera_ids.isdisjoint(row.camera_ids)


def subscription_of(query: bytes) -> Subscription:
    """Read the address's query; raise `BadSubscriptionError` for what cannot be had."""
    values = parse_qs(query.decode("latin-1"))
    topics = frozenset(_listed(values.get("topics", []))) or frozenset(TOPICS)
    unknown = sorted(topics - TOPICS.keys() - {DETECTION})
    if unknown:
        raise BadSubscriptionError("unknown_topic", f"There is no topic {unknown[0]!r}.")
    return Subscription(topics, _cameras(values.get("camera", [])), _cursor(values.get("cursor", [])))


def resource_of(row: OutboxRow) -> Resource:
    """Return what a piece of news shows."""
    topic = TOPICS[row.kind.rpartition(".")[0]]
    return Resource(row.account_id, frozenset(row.camera_ids), shows_cameras=topic.shows_cameras)


def action_for(row: OutboxRow) -> Action:
    return TOPICS[row.kind.rpartition(".")[0]].action


def _listed(values: Sequence[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _cameras(values: Sequence[str]) -> frozenset[UUID]:
    try:
        return frozenset(UUID(part) for part in _listed(values))
    except ValueError as error:
        raise BadSubscriptionError("bad_camera", "`camera` has to be a camera's id.") from error


def _cursor(values: Sequence[str]) -> Cursor | None:
    if not values:
        return None
    try:
        return Cursor.parse(values[-1])
    except ValueError as error:
        raise BadSubscriptionError("bad_cursor", f"`cursor`: {error}.") from error
