"""Children's news reach the database in order, once acknowledged, and survive its absence."""

from uuid import UUID

from omma_engine.ports import NewsItem
from omma_engine.supervise import SupervisorConfig
from tests.engine.supervise.fakes import FakeDatabase, Worker


def test_news_are_committed_and_acknowledged(worker: Worker, database: FakeDatabase, source: UUID) -> None:
    worker.turn(1)
    child = worker.child(source)
    child.say_news(0, kind="state")
    child.say_news(1, kind="segment_open")

    worker.turn(2)

    assert [(item.sequence, item.epoch) for item in database.committed] == [
        (0, (1 << 20) + 1),
        (1, (1 << 20) + 1),
    ]
    assert {"do": "ack", "sequence": 1} in child.heard()


def test_without_a_database_children_go_on_and_nothing_is_lost(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    child = worker.child(source)
    child.heard()
    database.is_up = False
    for sequence in range(15):
        child.say_news(sequence, kind="segment_progress")
        worker.turn(1)

    assert len([line for line in child.heard() if line["do"] == "beat"]) >= 14
    assert worker.supervisor.is_database_away
    assert database.committed == []

    database.is_up = True
    worker.turn(2)
    assert [item.sequence for item in database.committed] == list(range(15))
    assert worker.spawner.spawned == 1
    assert child.orders() == ["ack"]


def test_a_child_that_dies_without_a_database_is_restarted_in_the_same_block(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    database.is_up = False
    worker.turn(2)

    worker.exit(source, -9)
    worker.turn(1)

    assert worker.epoch_of(source) == (1 << 20) + 2
    assert str(source) in worker.spawner.children


def test_what_does_not_fit_into_memory_is_read_from_the_journal_later(
    database: FakeDatabase, source: UUID
) -> None:
    worker = Worker(database, config=SupervisorConfig(news_limit=2))
    worker.turn(1)
    database.is_up = False
    for sequence in range(4):
        worker.child(source).say_news(sequence, kind="segment_progress")
    worker.turn(1)
    epoch = (1 << 20) + 1
    worker.salvager.left[source, epoch] = [
        NewsItem(source, epoch, sequence, {"kind": "segment_progress"}) for sequence in (2, 3)
    ]

    database.is_up = True
    worker.turn(4)

    assert [item.sequence for item in database.committed] == [0, 1, 2, 3]


def test_urgent_news_do_not_wait_for_the_round(database: FakeDatabase, source: UUID) -> None:
    worker = Worker(database, config=SupervisorConfig(commits_at_once=True))
    worker.turn(1)

    worker.child(source).say_news(0, kind="match")
    worker.turn()

    assert [item.sequence for item in database.committed] == [0]
