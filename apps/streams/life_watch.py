"""Lives that move on without anybody's word: lost workers, restarts that are due, pauses that are over."""

import threading
from typing import Any
from uuid import UUID

import psycopg
from django.db import close_old_connections, transaction
from django.utils import timezone

from apps.core.advisory_locks import STREAM_LIFE
from apps.core.locked_loops import LockedLoop
from apps.streams import life_changes
from apps.streams.models import Source
from apps.streams.state_news import publish_source

ROUND_S = 1.0
SETTLE_S = 8.0  # after the database was away, until its workers have renewed their leases


def life_loop() -> LockedLoop:
    """Return the loop; one worker runs it at a time."""
    return LockedLoop("stream life", STREAM_LIFE, _watch)


def look_at_all() -> int:
    """Go on with every life that may have changed; return how many had."""
    return sum(_look_at(source_id) for source_id in life_changes.candidates())


def _watch(_lock: psycopg.Connection[Any], stopping: threading.Event) -> None:
    stopping.wait(SETTLE_S)
    while not stopping.wait(ROUND_S):
        look_at_all()
        close_old_connections()


@transaction.atomic
def _look_at(source_id: UUID) -> bool:
    rows = Source.objects.select_for_update(of=("self",), skip_locked=True)
    source = rows.select_related("camera", "account").filter(pk=source_id).first()
    if source is None or not life_changes.look_again(source, timezone.now()):
        return False
    publish_source(source)
    return True
