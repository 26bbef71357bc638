"""A bus server for the whole module, and one of a test's own that it may stop."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.apps.streams.bus.server import BusServer


@pytest.fixture(scope="session")
def packet_bus_url() -> Iterator[str]:
    with TemporaryDirectory(prefix="omma-bus-") as folder:
        server = BusServer(Path(folder))
        server.start()
        yield server.url
        server.stop()


@pytest.fixture
def own_bus() -> Iterator[BusServer]:
    with TemporaryDirectory(prefix="omma-bus-") as folder:
        server = BusServer(Path(folder))
        server.start()
        yield server
        server.stop()
