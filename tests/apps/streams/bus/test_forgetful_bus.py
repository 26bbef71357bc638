"""A bus that loses all its keys under its readers: they are sent packets again, from a keyframe on."""

import time
from threading import Event, Thread

import pytest
import redis

from apps.streams.bus.reader import BusReader
from apps.streams.bus.wire import demand_key
from omma_engine.ports import DemandLevel
from omma_engine.types import EncodedPacket
from tests.apps.streams.bus.server import BusServer
from tests.apps.streams.bus.test_packet_bus import INFO, PACKETS, Bench
from tests.apps.streams.bus.video import shifted

GOP_S = 0.4
LIMIT_S = 10.0


class Camera(Thread):
    """Offers one group of pictures after the other."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(daemon=True)
        self._bench = bench
        self.stopping = Event()

    def run(self) -> None:
        self._bench.publisher.set_codec(INFO)
        number = 0
        while not self.stopping.wait(GOP_S):
            self._bench.offer(shifted(PACKETS, number * 1_000_000))
            number += 1


@pytest.mark.fault("F43")
def test_readers_of_a_bus_that_lost_its_keys_join_again(own_bus: BusServer) -> None:
    bench = Bench(own_bus.url)
    camera = Camera(bench)
    camera.start()
    try:
        with redis.Redis.from_url(own_bus.url) as server:
            opened = bench.open_reader(DemandLevel.EVERYTHING)
            first_packet_after(opened)
            server.flushall()
            began_s = time.monotonic()

            packet = first_packet_after(opened)
            while not server.exists(demand_key(bench.stream_id)) and time.monotonic() - began_s < LIMIT_S:
                packet = first_packet_after(opened)

            assert time.monotonic() - began_s < LIMIT_S
            assert packet is not None
    finally:
        camera.stopping.set()
        camera.join()
        bench.close()


def first_packet_after(opened: BusReader) -> EncodedPacket | None:
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        for item in opened.read(0.2):
            if isinstance(item, EncodedPacket):
                return item
    return None
