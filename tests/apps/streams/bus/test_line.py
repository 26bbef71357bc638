"""What the publisher's own line to the bus says and hears."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from apps.streams.bus.line import BusLine, RefusedError
from tests.apps.streams.bus.server import BusServer


@pytest.fixture
def line(packet_bus_url: str) -> Iterator[BusLine]:
    with BusLine(packet_bus_url, timeout_s=1) as opened:
        yield opened


class Peer:
    """A server that says what it is told to, whatever it is asked."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._server.getsockname()[1]}"

    def meet(self) -> tuple[BusLine, socket.socket]:
        line = BusLine(self.url, timeout_s=0.2)
        connection, _ = self._server.accept()
        return line, connection

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def test_every_kind_of_answer_is_understood(line: BusLine) -> None:
    data = b"\r\n$-1\r\n" * 50_000

    assert line.ask("SET", "a", data) == b"OK"
    assert line.ask("GET", "a") == data
    assert line.ask("GET", "nothing") is None
    assert line.ask("DEL", "a", "nothing") == 1
    assert line.ask("HSET", "h", "x", "1") == 1
    assert line.ask("HGETALL", "h") == [b"x", b"1"]
    assert line.ask("HGETALL", "nothing") == []
    assert line.ask("DEL", "h") == 1


def test_a_refusal_in_the_middle_spoils_nothing(line: BusLine) -> None:
    before, refusal, after = line.ask_all([("PING",), ("DANCE",), ("PING",)])

    assert (before, after) == (b"PONG", b"PONG")
    assert isinstance(refusal, RefusedError)
    with pytest.raises(RefusedError, match="DANCE"):
        line.ask("DANCE")
    assert line.ask("PING") == b"PONG"


def test_the_database_of_the_address_is_chosen(own_bus: BusServer) -> None:
    elsewhere = own_bus.url.replace("db=0", "db=3")
    with BusLine(elsewhere, timeout_s=1) as line:
        line.ask("SET", "here", "1")

    with redis.Redis.from_url(elsewhere) as client:
        assert client.get("here") == b"1"
    with redis.Redis.from_url(own_bus.url) as client:
        assert client.get("here") is None


def test_a_wrong_password_is_refused(own_bus: BusServer) -> None:
    with redis.Redis.from_url(own_bus.url) as client:
        client.config_set("requirepass", "secret")

    with pytest.raises(RefusedError, match="WRONGPASS"):
        BusLine(own_bus.url.replace("unix://", "unix://:wrong@"), timeout_s=1)


def test_an_answer_may_come_in_parts(peer: Peer) -> None:
    line, connection = peer.meet()

    def drip() -> None:
        for byte in b"*2\r\n$3\r\nabc\r\n:7\r\n":
            connection.send(bytes((byte,)))
            time.sleep(0.002)

    dripping = threading.Thread(target=drip)
    dripping.start()
    assert line.ask("ANYTHING") == [b"abc", 7]
    dripping.join()
    line.close()
    connection.close()


@pytest.mark.parametrize("said", [b"", b"what\r\n", b"$3\r\nab"])
def test_a_server_that_stops_or_talks_nonsense_is_an_error(peer: Peer, said: bytes) -> None:
    line, connection = peer.meet()
    connection.sendall(said)
    connection.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionError):
        line.ask("ANYTHING")
    line.close()
    connection.close()


def test_a_silent_server_is_waited_for_until_the_limit(peer: Peer) -> None:
    line, connection = peer.meet()

    with pytest.raises(TimeoutError):
        line.ask("ANYTHING")
    line.close()
    connection.close()


def test_what_is_said_on_a_channel_is_heard(line: BusLine, packet_bus_url: str) -> None:
    line.subscribe("omma:test:line")

    assert line.hear(0.01) is None
    with redis.Redis.from_url(packet_bus_url) as client:
        client.publish("omma:test:line", "one")
        client.publish("omma:test:line", "two")
    assert line.hear(1) == b"one"
    assert line.hear(1) == b"two"
    assert line.hear(0) is None


def test_a_wait_can_be_interrupted(line: BusLine) -> None:
    line.subscribe("omma:test:line")
    threading.Timer(0.05, line.interrupt).start()

    with pytest.raises(ConnectionError):
        line.hear(5)
