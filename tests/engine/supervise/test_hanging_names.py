"""F3: names that do not resolve and do not fail either."""

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from omma_engine.errors import SourceUnreachableError
from omma_engine.ids import uuid7
from omma_engine.ports import Claimable
from omma_engine.supervise.lanes import ThreadLane
from tests.engine.supervise.fakes import FakeDatabase, FakeDialect, Worker


class HangingNames(FakeDialect):
    """Looks up names as a resolver does whose server is gone."""

    def __init__(self, known: UUID) -> None:
        self._known = known
        self.is_answered = threading.Event()

    def prepare(self, item: Claimable) -> Any:
        if item.object_id != self._known:
            self.is_answered.wait(30)
            raise SourceUnreachableError("the name has no address")
        return item.spec


@pytest.mark.fault("F3")
def test_names_that_hang_hold_up_no_running_child(database: FakeDatabase, source: UUID) -> None:
    names = HangingNames(source)
    worker = Worker(database, slots=20, dialect=names, work_lane=ThreadLane("names", threads=4))
    deadline_s = time.monotonic() + 10
    while str(source) not in worker.spawner.children and time.monotonic() < deadline_s:
        worker.turn(0.25)
    database.want(*(uuid7() for _ in range(10)))
    worker.child(source).heard()

    began_s = time.monotonic()
    worker.turn(5)
    took_s = time.monotonic() - began_s
    names.is_answered.set()

    assert took_s < 3  # five seconds of the fake clock; nobody waited for a name
    assert worker.child(source).heard().count({"do": "beat"}) >= 4
    assert database.owner_of(source) == "worker-1"
    assert worker.spawner.spawned == 1
