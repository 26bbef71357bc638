"""Leases: taken over, lost, handed over; never two owners."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from omma_engine.ports import NewsItem
from tests.engine.supervise.fakes import FakeDatabase, Worker


def test_a_dead_workers_sources_are_taken_over_under_the_next_block(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    second = Worker(database, "worker-2")
    second.turn(1)
    assert second.spawner.spawned == 0

    second.turn(8)  # the first no longer turns

    assert second.epoch_of(source) == (2 << 20) + 1
    assert database.owner_of(source) == "worker-2"


def test_a_lost_lease_stops_the_child_and_its_news_become_gap_fill(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    child = worker.child(source)
    database.steal(source, "worker-2")
    child.say_news(5, kind="segment_progress")

    worker.turn(2)

    assert "stop" in child.orders()
    assert database.committed == []
    assert [item.sequence for item in database.filled] == [5]
    worker.exit(source, bye="lost")
    worker.turn(2)
    assert database.owner_of(source) == "worker-2"
    assert worker.spawner.spawned == 1


def test_a_lease_that_ran_out_and_was_claimed_by_nobody_still_commits(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    database.clock.advance(20)
    worker.child(source).say(say="beat")
    worker.child(source).say_news(0, kind="segment_progress")

    worker.turn(1)

    assert [item.sequence for item in database.committed] == [0]
    assert worker.spawner.spawned == 1


def test_what_an_earlier_life_left_is_filled_in_after_the_claim(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    database.epochs[source] = 3 << 20
    left = [NewsItem(source, (3 << 20) + 2, 9, {"kind": "segment_close"})]
    worker.salvager.left[source, (3 << 20) + 2] = left

    worker.turn(3)

    assert database.filled == left
    assert database.committed == []
    assert worker.salvager.settled_lives == [(source, (3 << 20) + 2)]


@pytest.mark.fault("F47")
def test_a_life_that_goes_on_elsewhere_is_looked_at_again_until_it_has_ended(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    database.epochs[source] = 3 << 20
    life = (source, (3 << 20) + 2)
    left = [NewsItem(*life, 9, {"kind": "segment_close"})]
    worker.salvager.left[life] = left
    worker.salvager.living.add(life)

    worker.turn(15)
    assert (database.filled, worker.salvager.settled_lives) == ([], [])

    worker.salvager.living.clear()
    worker.turn(12)
    assert database.filled == left
    assert worker.salvager.settled_lives == [life]


def test_stop_without_a_successor_stops_at_once_and_releases(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    child = worker.child(source)
    worker.supervisor.stop()

    worker.turn(0.5)
    assert "stop" in child.orders()
    worker.exit(source, bye="planned")
    worker.turn(2)

    assert database.owners == {}
    assert worker.supervisor._is_done()


def test_stop_hands_over_before_it_breaks(worker: Worker, database: FakeDatabase, source: UUID) -> None:
    worker.turn(1)
    child = worker.child(source)
    child.heard()
    second = Worker(database, "worker-2")
    worker.store.successor_works = False
    worker.supervisor.stop()

    worker.turn(0.5)
    second.turn(1)
    worker.turn(1)
    assert database.owner_of(source) == "worker-2"
    assert child.orders() == []  # its successor has not recorded yet

    worker.store.successor_works = True
    worker.turn(1)
    assert child.orders() == ["stop"]
    worker.exit(source, bye="planned")
    worker.turn(1)
    assert worker.supervisor._is_done()
    assert second.spawner.spawned == 1


def test_stop_is_bounded_even_when_nothing_answers(worker: Worker, database: FakeDatabase) -> None:
    database.want(uuid7(), uuid7())
    worker.turn(1)
    database.is_up = False
    worker.supervisor.stop()

    worker.turn(8.25, beating=False)

    assert worker.supervisor._is_done()


def test_stop_is_idempotent_before_and_after_a_run(worker: Worker) -> None:
    worker.supervisor.stop()
    worker.supervisor.stop()

    worker.supervisor.run()
    worker.supervisor.stop()

    assert not worker.supervisor.is_healthy


def test_a_camera_for_one_client_is_let_go_before_its_successor_takes_it(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    database.want(source, is_exclusive=True)
    worker.turn(1)
    child = worker.child(source)
    child.heard()
    second = Worker(database, "worker-2")
    worker.supervisor.stop()

    worker.turn(0.5)
    second.turn(1)
    assert child.orders() == ["stop"]
    assert database.owner_of(source) == "worker-1"
    assert second.spawner.spawned == 0

    worker.exit(source, bye="planned")
    worker.turn(0.5)
    second.turn(1)
    assert worker.supervisor._is_done()
    assert database.owner_of(source) == "worker-2"
    assert second.spawner.spawned == 1


def test_alone_children_go_on_but_one_for_a_single_session_is_not_started_again(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    single = uuid7()
    database.want(single, is_exclusive=True)
    worker.turn(1)
    database.is_up = False
    worker.turn(7)
    assert worker.child(source).heard()[-1] == {"do": "beat", "alone": True}
    for one in (source, single):
        worker.exit(one, -9)

    worker.turn(5)
    assert list(worker.spawner.children) == [str(source)]

    database.is_up = True
    worker.turn(3)
    assert set(worker.spawner.children) == {str(source), str(single)}
    assert worker.child(source).heard()[-1] == {"do": "beat"}
