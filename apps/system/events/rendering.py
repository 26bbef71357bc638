"""From outbox rows to messages, for one actor: only what it may see, and as the API shows it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rest_framework.utils.encoders import JSONEncoder

from apps.accounts.access import Actor, may
from apps.core import representations
from apps.core.outbox import OutboxRow
from apps.core.representations import Representation
from apps.system.events.topics import action_for, resource_of


@dataclass(frozen=True, slots=True)
class NewsMessage:
    """A piece of news as one actor gets it."""

    row: OutboxRow
    text: str


def render(rows: Sequence[OutboxRow], actor: Actor) -> list[NewsMessage]:
    """Return the messages of the rows that this actor may see, in order; one query or few a kind of row."""
    allowed = [row for row in rows if may(actor, action_for(row), resource_of(row))]
    found = _representations(allowed, actor)
    messages = []
    for row in allowed:
        data = found.get((row.subject_kind, row.subject_id)) if row.subject_id else None
        if data is None and _must_have_data(row):
            continue  # gone again, or not for this actor
        messages.append(NewsMessage(row, _text(row, data)))
    return messages


def _representations(
    rows: Sequence[OutboxRow], actor: Actor
) -> dict[tuple[str, UUID | None], Representation]:
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.subject_id is not None and not row.kind.endswith(".deleted"):
            wanted[row.subject_kind].add(row.subject_id)
    return {
        (kind, subject_id): data
        for kind, ids in wanted.items()
        for subject_id, data in representations.load(kind, ids, actor).items()
    }


def _must_have_data(row: OutboxRow) -> bool:
    is_known = row.subject_kind in representations.registered_kinds()
    return is_known and row.subject_id is not None and not row.kind.endswith(".deleted")


def _text(row: OutboxRow, data: Representation | None) -> str:
    return json.dumps(
        {
            "type": row.kind.rpartition(".")[0],
            "kind": row.kind,
            "cursor": str(row.cursor),
            "id": str(row.subject_id) if row.subject_id else None,
            "data": data,
        },
        cls=JSONEncoder,
    )
