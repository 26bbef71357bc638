"""Objects that share a child: whoever makes it crash is found, and the others go on."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from tests.engine.supervise.fakes import FakeDatabase, FakeHostDialect, Worker


@pytest.fixture
def host_worker(database: FakeDatabase) -> Worker:
    return Worker(database, dialect=FakeHostDialect())


def hosts(worker: Worker) -> dict[str, set[UUID]]:
    """Return which objects each child has."""
    return {key: set(child.assignments) for key, child in worker.supervisor.crew.children.items()}


def crash_host_of(worker: Worker, object_id: UUID) -> None:
    worker.spawner.end(worker.supervisor.crew.place[object_id], -11)


def wanted(database: FakeDatabase, count: int) -> list[UUID]:
    ids = sorted(uuid7() for _ in range(count))
    database.want(*ids)
    return ids


def parked(database: FakeDatabase) -> set[UUID]:
    return {item.object_id for item in database.committed if item.payload == {"trouble": "parked"}}


@pytest.mark.parametrize("count", [2, 5, 8])
@pytest.mark.parametrize("place", [0, -1])
def test_the_culprit_alone_is_parked_after_few_crashes(
    database: FakeDatabase, host_worker: Worker, count: int, place: int
) -> None:
    ids = wanted(database, count)
    culprit = ids[place]
    host_worker.turn(2)
    crashes = 0

    while culprit in host_worker.supervisor.crew.place:
        crash_host_of(host_worker, culprit)
        crashes += 1
        host_worker.turn(12)

    assert parked(database) == {culprit}
    assert crashes <= {2: 3, 5: 5, 8: 5}[count]
    assert set().union(*hosts(host_worker).values()) == set(ids) - {culprit}


def test_the_first_crash_is_let_pass_and_all_come_back_together(
    database: FakeDatabase, host_worker: Worker
) -> None:
    ids = wanted(database, 4)
    host_worker.turn(2)

    crash_host_of(host_worker, ids[0])
    host_worker.turn(2)

    assert hosts(host_worker) == {"host": set(ids)}


def test_innocent_halves_are_not_disturbed_by_the_others_crashes(
    database: FakeDatabase, host_worker: Worker
) -> None:
    ids = wanted(database, 4)
    host_worker.turn(2)
    for _ in range(2):
        crash_host_of(host_worker, ids[3])
        host_worker.turn(4)
    epochs = [host_worker.epoch_of(one) for one in ids[:2]]

    for _ in range(2):
        crash_host_of(host_worker, ids[3])
        host_worker.turn(6)

    assert [host_worker.epoch_of(one) for one in ids[:2]] == epochs
    assert parked(database) == {ids[3]}


def test_a_changed_culprit_gets_another_chance_among_the_others(
    database: FakeDatabase, host_worker: Worker
) -> None:
    ids = wanted(database, 2)
    host_worker.turn(2)
    for _ in range(3):
        crash_host_of(host_worker, ids[1])
        host_worker.turn(6)
    assert parked(database) == {ids[1]}

    database.want(ids[1], fingerprint="another model")
    host_worker.turn(3)

    assert hosts(host_worker)["host"] == {ids[1]}
