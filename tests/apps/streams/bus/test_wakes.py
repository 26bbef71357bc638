"""A publisher that nobody reads sleeps on a bare connection, and wakes for readers of its own streams."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
import redis

from apps.streams.bus import publisher, reader, wakes
from apps.streams.bus.reader import BusReader
from apps.streams.bus.wakes import WakeLine
from apps.streams.bus.wire import WAKE_CHANNEL, demand_key
from omma_engine.ports import DemandLevel
from tests.apps.streams.bus.server import BusServer
from tests.apps.streams.bus.video import clip

INFO, PACKETS = clip()


class Sleeper:
    """A line that waits in a thread of its own."""

    def __init__(self, url: str, stream_id: UUID) -> None:
        self.line = WakeLine(url)
        self.error: OSError | None = None
        self._stream_id = stream_id
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        try:
            self.line.wait(lambda: [self._stream_id])
        except OSError as error:
            self.error = error

    def has_woken(self, within_s: float) -> bool:
        self._thread.join(within_s)
        return not self._thread.is_alive()


@pytest.fixture
def stream_id() -> UUID:
    return uuid4()


@pytest.fixture
def sleeper(packet_bus_url: str, stream_id: UUID) -> Iterator[Sleeper]:
    made = Sleeper(packet_bus_url, stream_id)
    wait_until(lambda: subscribers(packet_bus_url) > 0)
    yield made
    made.line.close()
    assert made.has_woken(1)


def wait_until(is_true: Callable[[], object], limit_s: float = 5.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def subscribers(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.pubsub_numsub(WAKE_CHANNEL)[0][1])


def read(url: str, stream_id: UUID) -> BusReader:
    opened = reader.connect(url)(stream_id, DemandLevel.EVERYTHING)
    opened.read(0.05)
    return opened


def test_a_reader_of_the_stream_wakes_it(sleeper: Sleeper, packet_bus_url: str, stream_id: UUID) -> None:
    opened = read(packet_bus_url, stream_id)

    assert sleeper.has_woken(2)
    assert sleeper.error is None
    opened.close()


def test_a_reader_of_another_stream_does_not(sleeper: Sleeper, packet_bus_url: str) -> None:
    opened = read(packet_bus_url, uuid4())

    assert not sleeper.has_woken(0.3)
    opened.close()


def test_a_reader_that_was_there_before_wakes_it_at_once(packet_bus_url: str, stream_id: UUID) -> None:
    opened = read(packet_bus_url, stream_id)

    assert Sleeper(packet_bus_url, stream_id).has_woken(2)
    opened.close()


def test_a_lost_wake_up_costs_seconds(
    sleeper: Sleeper, packet_bus_url: str, stream_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakes, "ASK_EVERY_S", 0.1)
    late = Sleeper(packet_bus_url, stream_id)
    assert not late.has_woken(0.3)

    with redis.Redis.from_url(packet_bus_url) as client:
        client.hset(demand_key(stream_id), "reader", "2:99999999999999")

    assert late.has_woken(2)


def test_a_server_that_goes_away_is_an_error(own_bus: BusServer, stream_id: UUID) -> None:
    waiting = Sleeper(own_bus.url, stream_id)
    wait_until(lambda: subscribers(own_bus.url) == 1)

    own_bus.stop()

    assert waiting.has_woken(2)
    assert isinstance(waiting.error, ConnectionError)


def test_it_logs_in_where_the_server_asks_for_it(own_bus: BusServer, stream_id: UUID) -> None:
    with redis.Redis.from_url(own_bus.url) as client:
        client.config_set("requirepass", "s/cret")
        with_login = own_bus.url.replace("unix://", "unix://default:s%2Fcret@")
        logged_in, stranger = Sleeper(with_login, stream_id), Sleeper(own_bus.url, stream_id)
        wait_until(lambda: subscribers(with_login) == 1)

        assert stranger.has_woken(2)
        assert "NOAUTH" in str(stranger.error)
        opened = read(with_login, stream_id)
        assert logged_in.has_woken(2)
        assert logged_in.error is None
        opened.close()


def test_a_publisher_goes_back_to_sleep_and_wakes_again(
    own_bus: BusServer, stream_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "UNREAD_S", 0.2)
    monkeypatch.setattr(publisher, "POLL_IDLE_S", 0.1)
    monkeypatch.setattr(publisher, "POLL_READ_S", 0.1)
    publishing = publisher.connect(own_bus.url)(stream_id)
    publishing.set_codec(INFO)

    for _ in range(2):
        wait_until(lambda: subscribers(own_bus.url) == 1)
        opened = read(own_bus.url, stream_id)
        wait_until(lambda: publishing.level is DemandLevel.EVERYTHING)
        publishing.offer(PACKETS[0])
        assert [item for _ in range(5) for item in opened.read(0.2)]
        opened.close()
        wait_until(lambda: publishing.level is DemandLevel.NONE)
        wait_until(lambda: connections(own_bus.url) == 2)  # the sender's, and the one that sleeps
    publishing.close()


def connections(url: str) -> int:
    """Return how many connections publishers have; all others are the library's."""
    with redis.Redis.from_url(url) as client:
        return sum(not each["lib-name"] for each in client.client_list())
