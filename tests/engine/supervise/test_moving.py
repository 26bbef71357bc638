"""An object that moves into another shared child goes on in the old one until the new one is there."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from tests.engine.supervise.fakes import FakeDatabase, FakeHostDialect, Worker


@pytest.fixture
def host_worker(database: FakeDatabase) -> Worker:
    return Worker(database, dialect=FakeHostDialect())


@pytest.fixture
def swapped(database: FakeDatabase, host_worker: Worker) -> UUID:
    """Return one of two analytics that run on the same model."""
    ids = [uuid7(), uuid7()]
    database.want(*ids, fingerprint="model-1")
    host_worker.turn(2)
    return ids[0]


def place_of(worker: Worker, object_id: UUID) -> str | None:
    return worker.supervisor.crew.place.get(object_id)


def test_the_old_child_keeps_it_until_the_new_one_has_spoken(
    database: FakeDatabase, host_worker: Worker, swapped: UUID
) -> None:
    database.want(swapped, fingerprint="model-2")
    host_worker.turn(3, beating=False)
    assert "host-model-2" in host_worker.spawner.children
    assert place_of(host_worker, swapped) == "host-model-1"

    host_worker.turn(0.5)

    assert place_of(host_worker, swapped) == "host-model-2"
    assert host_worker.spawner.children["host-model-2"].orders() == ["add"]
    assert "remove" in host_worker.spawner.children["host-model-1"].orders()


def test_a_change_that_is_taken_back_in_time_changes_nothing(
    database: FakeDatabase, host_worker: Worker, swapped: UUID
) -> None:
    epoch = host_worker.epoch_of(swapped)
    database.want(swapped, fingerprint="model-2")
    host_worker.turn(2, beating=False)

    database.want(swapped, fingerprint="model-1")
    host_worker.turn(1.5, beating=False)
    host_worker.turn(3)
    assert (place_of(host_worker, swapped), host_worker.epoch_of(swapped)) == ("host-model-1", epoch)
    host_worker.turn(70)

    assert list(host_worker.spawner.children) == ["host-model-1"]


def test_a_new_child_that_dies_at_once_does_not_hold_it_up(
    database: FakeDatabase, host_worker: Worker, swapped: UUID
) -> None:
    database.want(swapped, fingerprint="model-2")
    host_worker.turn(1.5, beating=False)
    host_worker.spawner.end("host-model-2", -11)

    host_worker.turn(3)

    assert place_of(host_worker, swapped) == "host-model-2"


def test_the_old_child_dying_meanwhile_moves_it_at_once(
    database: FakeDatabase, host_worker: Worker, swapped: UUID
) -> None:
    database.want(swapped, fingerprint="model-2")
    host_worker.turn(1.5, beating=False)
    host_worker.spawner.end("host-model-1", -11)

    host_worker.turn(2)

    assert place_of(host_worker, swapped) == "host-model-2"
