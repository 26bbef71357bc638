"""One worker on an empty database."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from tests.clocks import FakeClock
from tests.engine.supervise.fakes import FakeDatabase, Worker


@pytest.fixture
def database(fake_clock: FakeClock) -> Iterator[FakeDatabase]:
    database = FakeDatabase(fake_clock)
    yield database
    for worker in database.workers:
        worker.supervisor.close()


@pytest.fixture
def worker(database: FakeDatabase) -> Worker:
    return Worker(database)


@pytest.fixture
def source(database: FakeDatabase) -> UUID:
    """Return the id of one source that is wanted."""
    source_id = uuid7()
    database.want(source_id)
    return source_id
