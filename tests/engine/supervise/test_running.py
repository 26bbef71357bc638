"""What is wanted runs, what is not wanted does not."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from tests.engine.supervise.fakes import FakeDatabase, FakeHostDialect, Worker


def test_a_wanted_source_is_started_inside_its_epoch_block(worker: Worker, source: UUID) -> None:
    worker.turn(1.5)

    lines = worker.child(source).heard()
    assert lines[0] == {"do": "start", "epoch": (1 << 20) + 1, "spec": {"id": str(source)}}
    assert {"do": "beat"} in lines


def test_no_more_than_its_slots_are_claimed(database: FakeDatabase) -> None:
    database.want(*(uuid7() for _ in range(5)))
    worker = Worker(database, slots=3)

    worker.turn(3)

    assert worker.spawner.spawned == 3
    assert len(database.owners) == 3


def test_a_source_no_longer_wanted_is_stopped_and_released(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    del database.wanted[source]

    worker.turn(2)
    assert worker.child(source).orders() == ["start", "stop"]
    assert database.owner_of(source) == "worker-1"  # while its child still writes

    worker.exit(source, bye="planned")
    worker.turn(2)
    assert database.owner_of(source) == ""
    assert worker.spawner.spawned == 1


@pytest.mark.fault("F14")  # another address or password
def test_a_changed_fingerprint_restarts_the_child_under_the_next_epoch(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    database.want(source, fingerprint="2")
    worker.turn(2)

    worker.exit(source, bye="changed")
    worker.turn(0.25)

    assert worker.epoch_of(source) == (1 << 20) + 2
    assert worker.spawner.spawned == 2


def test_a_source_that_cannot_be_prepared_says_why_once_and_is_tried_again(
    worker: Worker, database: FakeDatabase
) -> None:
    source = uuid7()
    database.want(source, fingerprint="bad")

    worker.turn(10)
    assert [item.payload for item in database.committed] == [{"trouble": "source_error"}]

    database.want(source, fingerprint="good")
    worker.turn(2)
    assert str(source) in worker.spawner.children


def test_a_source_that_came_to_its_end_rests_until_it_changes(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    worker.exit(source, bye="ended")

    worker.turn(120)
    assert worker.spawner.spawned == 1

    database.want(source, fingerprint="2")
    worker.turn(2)
    assert worker.spawner.spawned == 2


def test_objects_with_one_key_share_a_child(database: FakeDatabase) -> None:
    first, second = uuid7(), uuid7()
    database.want(first, second)
    worker = Worker(database, dialect=FakeHostDialect())

    worker.turn(1)
    host = worker.spawner.children["host"]
    assert host.orders() == ["add", "add"]
    host.say_news(0, id=str(second), what="a track")
    del database.wanted[first]
    worker.turn(2)

    assert [item.object_id for item in database.committed] == [second]
    assert host.orders() == ["ack", "remove"]
    assert database.owner_of(first) == ""
    del database.wanted[second]
    worker.turn(2)
    assert host.orders() == ["remove", "stop"]


def test_a_dead_host_brings_all_its_objects_back_under_new_epochs(database: FakeDatabase) -> None:
    first, second = uuid7(), uuid7()
    database.want(first, second)
    worker = Worker(database, dialect=FakeHostDialect())
    worker.turn(1)

    worker.spawner.end("host", -9)
    worker.turn(1)

    assert worker.spawner.children["host"].orders() == ["add", "add"]
    assert worker.epoch_of(first) == worker.epoch_of(second) == (1 << 20) + 2


@pytest.mark.parametrize("line", ["not json", "[1, 2]", '{"say": "unheard of"}'])
def test_a_child_that_talks_nonsense_disturbs_nobody(worker: Worker, source: UUID, line: str) -> None:
    worker.turn(1)

    worker.child(source).connection.send(line.encode() + b"\n")
    worker.turn(1)

    assert worker.spawner.spawned == 1
