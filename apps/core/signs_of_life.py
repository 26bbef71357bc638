"""A running job says every few seconds that its worker lives; when it falls silent, another gets it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models.functions import Now

from apps.core.models import Task, TaskState

logger = logging.getLogger(__name__)

EVERY_S = 10.0


@contextmanager
def signs_of_life(task: Task) -> Iterator[None]:
    """Say so from a thread of its own, while the block runs."""
    is_over = threading.Event()
    thread = threading.Thread(target=_say_so, args=(task, is_over), name=f"alive-{task.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _say_so(task: Task, is_over: threading.Event) -> None:
    while not is_over.wait(EVERY_S):
        try:
            is_ours = Task.objects.filter(
                id=task.id, state=TaskState.RUNNING, started_at=task.started_at
            ).update(heard_at=Now())
        except DatabaseError as error:
            logger.warning("job %s: the database is away: %s", task.id, str(error).strip())
        else:
            if not is_ours:
                return  # cancelled, or given to another
        finally:
            connection.close()  # this thread's own
