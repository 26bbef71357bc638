"""F38: a child that has lived for a day gets a successor, and nothing of what is recorded is missed."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from omma_engine.ports import NewsItem
from omma_engine.supervise import SupervisorConfig
from tests.engine.supervise.fakes import FakeChild, FakeDatabase, Worker

pytestmark = pytest.mark.fault("F38")
RENEW_S = 80.0
EPOCH = (1 << 20) + 1
OPENS = {"kind": "segment_open"}


@pytest.fixture
def worker(database: FakeDatabase) -> Worker:
    return Worker(database, config=SupervisorConfig(slots=8, renew_s=RENEW_S), works=_works)


def _works(item: NewsItem) -> bool:
    return item.payload == OPENS


def successor_of(worker: Worker, source: UUID, epoch: int = EPOCH + 1) -> FakeChild:
    return worker.spawner.children[f"{source}~{epoch}"]


def renewed(worker: Worker, source: UUID) -> tuple[FakeChild, FakeChild]:
    """Let a child become old, and return it with the successor beside it."""
    worker.turn(RENEW_S * 1.25 + 5)
    return worker.child(source), successor_of(worker, source)


def said(items: list[NewsItem]) -> list[tuple[int, int]]:
    return [(item.epoch - EPOCH, item.sequence) for item in items]


def test_the_old_one_is_stopped_when_the_new_one_records(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    old, new = renewed(worker, source)
    assert old.orders() == ["start"]
    new.say_news(1, kind="state")
    worker.turn(0.5)
    assert (old.orders(), said(database.committed)) == ([], [])  # held back: it records nothing yet

    new.say_news(2, **OPENS)
    worker.turn(1.5)

    assert old.orders() == ["stop"]
    assert said(database.committed) == [(1, 1), (1, 2)]
    worker.spawner.end(str(source), 0)
    worker.turn(2)
    assert worker.epoch_of(source) == EPOCH + 1
    assert worker.spawner.spawned == 2
    assert list(worker.spawner.children) == [new.key]


def test_what_the_old_one_says_afterwards_only_fills_holes(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    old, new = renewed(worker, source)
    new.say_news(1, **OPENS)
    worker.turn(0.25)
    old.say_news(7, kind="segment_close")
    worker.salvager.left[source, EPOCH] = [NewsItem(source, EPOCH, 8, {"kind": "state"})]
    old.say(say="bye", reason="renewed")
    worker.turn(0.25)
    worker.spawner.end(str(source), 0)
    worker.turn(2)

    assert said(database.committed) == [(1, 1)]
    assert said(database.filled) == [(0, 7), (0, 8)]
    assert (source, EPOCH) in worker.salvager.settled_lives


@pytest.mark.parametrize("ends_itself", [True, False])
def test_a_successor_that_gets_nowhere_changes_nothing(
    worker: Worker, database: FakeDatabase, source: UUID, ends_itself: bool
) -> None:
    old, new = renewed(worker, source)
    new.say_news(1, kind="gap")
    worker.salvager.left[source, EPOCH + 1] = [NewsItem(source, EPOCH + 1, 1, {"kind": "gap"})]
    if ends_itself:
        worker.spawner.end(new.key, 1)
    worker.turn(40)
    old.say_news(7, kind="segment_progress")
    worker.turn(2)

    assert list(worker.spawner.children) == [str(source)]
    assert "stop" not in old.orders()
    assert said(database.committed) == [(0, 7)]
    assert said(database.filled) == [(1, 1)]  # a gap that fills none
    assert worker.epoch_of(source) == EPOCH

    while len(worker.spawner.children) == 1:  # until it is tried again, under a number of its own
        worker.turn(5)
    assert successor_of(worker, source, EPOCH + 2)


def test_a_successor_takes_over_at_once_where_the_old_one_dies(worker: Worker, source: UUID) -> None:
    _, new = renewed(worker, source)
    worker.spawner.end(str(source), -9)
    worker.turn(2)

    assert worker.epoch_of(source) == EPOCH + 1
    assert list(worker.spawner.children) == [new.key]


def test_a_source_that_is_no_longer_wanted_loses_both(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    old, new = renewed(worker, source)
    del database.wanted[source]
    worker.turn(2)

    assert old.orders() == ["start", "stop"]
    assert new.is_killed


def test_one_is_renewed_at_a_time(worker: Worker, database: FakeDatabase) -> None:
    database.want(*(uuid7() for _ in range(4)))
    worker.turn(RENEW_S * 1.25 + 5)

    assert worker.spawner.spawned == 5


def test_a_camera_for_one_client_is_restarted_when_it_gives_nothing(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    database.want(source, is_exclusive=True)
    worker.turn(RENEW_S * 1.25 + 5)
    child = worker.child(source)
    assert child.orders() == ["start"]

    orders: list[str] = []
    while not orders:
        child.say(say="beat", state="reconnecting")
        worker.turn(0.25, beating=False)
        orders = child.orders()
    assert orders == ["stop"]


def test_nobody_is_renewed_unless_it_is_asked_for(database: FakeDatabase, source: UUID) -> None:
    worker = Worker(database)
    worker.turn(RENEW_S * 2)

    assert worker.spawner.spawned == 1
