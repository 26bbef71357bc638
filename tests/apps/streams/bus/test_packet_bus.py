"""Packets from a publisher reach readers over a real Valkey: from a keyframe on, and in order."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
import redis

from apps.streams.bus import async_reader, publisher, reader
from apps.streams.bus.reader import BusReader
from apps.streams.bus.wire import demand_key, packets_key
from omma_engine.ports import DemandLevel
from omma_engine.types import EncodedPacket, PacketSizes
from tests.apps.streams.bus.server import BusServer
from tests.apps.streams.bus.video import clip, shifted

INFO, PACKETS = clip()


class Bench:
    """A stream with a publisher, and readers that are closed in the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stream_id = uuid4()
        self.publisher = publisher.connect(url)(self.stream_id)
        self.server = redis.Redis.from_url(url)
        self._readers: list[BusReader] = []

    def offer(self, packets: list[EncodedPacket] | tuple[EncodedPacket, ...]) -> None:
        for packet in packets:
            self.publisher.offer(packet)

    def open_reader(self, level: DemandLevel) -> BusReader:
        opened = reader.connect(self.url)(self.stream_id, level)
        self._readers.append(opened)
        return opened

    def close(self) -> None:
        for opened in self._readers:
            opened.close()
        self.publisher.close()
        self.server.close()


@pytest.fixture
def bench(packet_bus_url: str) -> Iterator[Bench]:
    made = Bench(packet_bus_url)
    yield made
    made.close()


def read_until(opened: BusReader, is_enough: Callable[[list[EncodedPacket]], bool]) -> list[EncodedPacket]:
    """Read packets until they are enough, or five seconds have passed."""
    found: list[EncodedPacket] = []
    deadline = time.monotonic() + 5
    while not is_enough(found) and time.monotonic() < deadline:
        found += [item for item in opened.read(0.2) if isinstance(item, EncodedPacket)]
    return found


def wait_until(is_so: Callable[[], bool], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_nothing_is_published_while_nobody_reads(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)

    bench.offer(PACKETS)

    assert bench.publisher.figures.offered == len(PACKETS)
    assert bench.publisher.figures.sent == 0
    assert bench.server.exists(packets_key(bench.stream_id)) == 0


def test_memory_holds_the_current_gop_only(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)

    bench.offer(PACKETS[:25])

    assert bench.publisher.figures.held_bytes == sum(len(packet.data) for packet in PACKETS[20:25])


def test_a_new_reader_gets_the_codec_and_the_current_gop(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    bench.offer(PACKETS[:27])

    opened = bench.open_reader(DemandLevel.EVERYTHING)
    items = opened.read(5.0)
    while len(items) < 8:
        items += opened.read(5.0)

    assert items == [INFO, *PACKETS[20:27]]


def test_packets_follow_in_order(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    bench.offer(PACKETS[:5])
    opened = bench.open_reader(DemandLevel.EVERYTHING)
    found = read_until(opened, lambda found: len(found) >= 5)

    bench.offer(PACKETS[5:])
    found += read_until(opened, lambda found: len(found) >= len(PACKETS) - 5)

    assert found == list(PACKETS)
    assert opened.missed == 0


def test_the_second_reader_starts_at_the_last_keyframe(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    first = bench.open_reader(DemandLevel.EVERYTHING)
    first.read(0.05)
    wait_until(lambda: bench.publisher.level is DemandLevel.EVERYTHING)
    bench.offer(PACKETS[:35])
    read_until(first, lambda found: len(found) >= 35)

    second = bench.open_reader(DemandLevel.EVERYTHING)

    assert read_until(second, lambda found: len(found) >= 5) == list(PACKETS[30:35])


def test_keyframes_only_and_sizes(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    opened = bench.open_reader(DemandLevel.KEYFRAMES)
    opened.read(0.05)
    wait_until(lambda: bench.publisher.level is DemandLevel.KEYFRAMES)

    items = []
    for packet in PACKETS[:20]:
        bench.publisher.offer(packet)
        time.sleep(0.02)
        items += opened.read(0)
    while not any(isinstance(item, PacketSizes) for item in items):
        items += opened.read(1.0)

    sizes = [size for item in items if isinstance(item, PacketSizes) for size in item.sizes]
    offered = [(packet.capture_us, len(packet.data)) for packet in PACKETS[:20] if not packet.is_keyframe]
    assert [item for item in items if isinstance(item, EncodedPacket)] == [PACKETS[0], PACKETS[10]]
    assert len(sizes) >= 9
    assert sizes == offered[: len(sizes)]


def test_raising_the_level_brings_the_rest_of_the_gop(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    opened = bench.open_reader(DemandLevel.KEYFRAMES)
    opened.read(0.05)
    wait_until(lambda: bench.publisher.level is DemandLevel.KEYFRAMES)
    bench.offer(PACKETS[:16])
    found = read_until(opened, lambda found: len(found) >= 2)

    opened.set_level(DemandLevel.EVERYTHING)
    found += read_until(opened, lambda found: len(found) >= 5)

    assert found == [PACKETS[0], *PACKETS[10:16]]
    assert opened.missed == 0


def test_raising_beside_a_reader_of_everything_leaves_no_hole(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    other, opened = bench.open_reader(DemandLevel.EVERYTHING), bench.open_reader(DemandLevel.KEYFRAMES)
    other.read(0.05)
    wait_until(lambda: bench.publisher.level is DemandLevel.EVERYTHING)
    bench.offer(PACKETS[:16])
    read_until(other, lambda found: len(found) >= 16)
    items = opened.read(1.0)

    opened.set_level(DemandLevel.EVERYTHING)

    assert items == [
        INFO,
        PACKETS[10],
        PacketSizes(tuple((p.capture_us, len(p.data)) for p in PACKETS[11:16])),
    ]
    assert read_until(opened, lambda found: len(found) >= 5) == list(PACKETS[11:16])


def test_a_closed_reader_ends_publishing_and_the_next_one_gets_the_gop_again(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    bench.offer(PACKETS[:3])
    opened = bench.open_reader(DemandLevel.EVERYTHING)
    read_until(opened, lambda found: len(found) >= 3)

    opened.close()
    wait_until(lambda: bench.publisher.level is DemandLevel.NONE)
    wait_until(lambda: bench.server.exists(packets_key(bench.stream_id)) == 0)
    bench.offer(PACKETS[3:6])

    again = bench.open_reader(DemandLevel.EVERYTHING)
    assert read_until(again, lambda found: len(found) >= 6) == list(PACKETS[:6])


def test_demand_of_a_reader_that_died_expires(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    seconds, _ = bench.server.time()
    bench.server.hset(demand_key(bench.stream_id), "dead", f"2:{seconds * 1000 - 1}")
    alive = bench.open_reader(DemandLevel.KEYFRAMES)

    alive.read(0.05)

    wait_until(lambda: bench.publisher.level is DemandLevel.KEYFRAMES)


def test_the_bus_holds_two_gops_or_four_seconds_and_no_more(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    opened = bench.open_reader(DemandLevel.EVERYTHING)
    opened.read(0.05)
    wait_until(lambda: bench.publisher.level is DemandLevel.EVERYTHING)

    for round_number in range(3):
        bench.offer(shifted(PACKETS, round_number * 2_000_000))
        read_until(opened, lambda found: len(found) >= len(PACKETS))

    assert (
        bench.server.xlen(packets_key(bench.stream_id)) == 150
    )  # taken within four seconds, so all are there
    assert 0 < bench.server.ttl(packets_key(bench.stream_id)) <= 30


@pytest.mark.fault("F42")
def test_a_bus_that_goes_and_comes_back_costs_whole_gops_and_nothing_else(own_bus: BusServer) -> None:
    bench = Bench(own_bus.url)
    bench.publisher.set_codec(INFO)
    opened = bench.open_reader(DemandLevel.EVERYTHING)
    bench.offer(PACKETS[:5])
    read_until(opened, lambda found: len(found) >= 5)

    own_bus.stop()
    started = time.monotonic()
    bench.offer(PACKETS[5:25])
    offered_s = time.monotonic() - started
    wait_until(lambda: bench.publisher.figures.dropped > 0)
    own_bus.start()
    found: list[EncodedPacket] = []
    for round_number in range(1, 40):
        bench.offer(shifted(PACKETS[:10], round_number * 400_000))
        found += [item for item in opened.read(0.2) if isinstance(item, EncodedPacket)]
        if len(found) > 20:
            break

    assert offered_s < 0.05
    assert found[0].is_keyframe
    assert len(found) > 20
    steps = {after.pts - before.pts for before, after in pairwise(found)}
    assert steps == {found[1].pts - found[0].pts}
    bench.close()


@pytest.mark.fault("F42")
def test_a_full_bus_drops_gops_and_recovers(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = BusServer(tmp_path_factory.mktemp("bus"), max_memory="256mb")
    server.start()
    bench = Bench(server.url)
    bench.publisher.set_codec(INFO)
    opened = bench.open_reader(DemandLevel.EVERYTHING)
    bench.offer(PACKETS[:5])
    read_until(opened, lambda found: len(found) >= 5)

    bench.server.config_set("maxmemory", "1mb")
    bench.offer(PACKETS[5:8])
    wait_until(lambda: bench.publisher.figures.dropped >= 3)
    bench.offer(PACKETS[8:10])
    bench.server.config_set("maxmemory", "256mb")
    opened.read(0.1)
    wait_until(lambda: bench.publisher.level is DemandLevel.EVERYTHING)
    bench.offer(PACKETS[10:20])

    assert read_until(opened, lambda found: len(found) >= 10) == list(PACKETS[10:20])
    assert opened.missed == 5
    bench.close()
    server.stop()


def test_a_publisher_whose_clock_stepped_back_goes_on_above_what_is_there(bench: Bench) -> None:
    bench.server.xadd(packets_key(bench.stream_id), {b"old": b"1"}, id="99999999999999-7")
    bench.publisher.set_codec(INFO)
    seconds, _ = bench.server.time()
    bench.server.hset(demand_key(bench.stream_id), "any", f"2:{seconds * 1000 + 60_000}")
    wait_until(lambda: bench.publisher.level is DemandLevel.EVERYTHING, timeout_s=8)

    bench.offer(PACKETS[:10])
    wait_until(lambda: bench.publisher.figures.dropped > 0)
    bench.offer(PACKETS[10:20])

    wait_until(lambda: bench.server.xlen(packets_key(bench.stream_id)) == 11)


async def test_the_asynchronous_reader_reads_the_same(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    bench.offer(PACKETS[:14])
    readers = async_reader.connect(bench.url)
    opened = readers(bench.stream_id, DemandLevel.EVERYTHING)

    items: list[object] = []
    while len(items) < 5:
        items += await opened.read(2.0)

    assert items == [INFO, *PACKETS[10:14]]
    await opened.close()
    await readers.close()
    wait_until(lambda: bench.publisher.level is DemandLevel.NONE)


def test_close_is_bounded_and_stops_the_threads(bench: Bench) -> None:
    bench.publisher.set_codec(INFO)
    started = time.monotonic()

    bench.publisher.close()
    bench.publisher.close()

    assert time.monotonic() - started < 1.0


@pytest.mark.fault("F42")
def test_an_unreachable_bus_never_blocks(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = f"unix://{tmp_path_factory.mktemp('none')}/none.sock"
    made = publisher.connect(missing)(UUID(int=1))
    made.set_codec(INFO)

    started = time.monotonic()
    for packet in PACKETS:
        made.offer(packet)
    opened = reader.connect(missing)(UUID(int=1), DemandLevel.EVERYTHING)
    offered_s = time.monotonic() - started

    assert offered_s < 0.05
    assert opened.read(0.3) == []
    made.close()
