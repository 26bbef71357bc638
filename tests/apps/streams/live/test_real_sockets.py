"""Many viewers over real sockets: quick ones are not held up, and stalled ones cost little."""

import asyncio
import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
import websockets
from django.db import connection

from apps.core.async_database import in_database_thread
from apps.streams.bus.publisher import StreamPublisher
from tests.apps.streams.bus.video import FRAME_US, clip
from tests.apps.streams.live.house import House
from tests.apps.streams.live.web import Web, start_web

INFO, PACKETS = clip(size_wh=(640, 384))
VIEWERS = 20
STALLED_LIMIT_BYTES = 40 * 1024 * 1024


class Camera:
    """Offers the clip over and over at its frame rate, each picture captured when it is offered."""

    def __init__(self, publisher: StreamPublisher) -> None:
        self._publisher = publisher
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        self._publisher.set_codec(INFO)
        started_s, count = time.monotonic(), 0
        while not self._stopping.is_set():
            packet = PACKETS[count % len(PACKETS)]
            ticks = count * (PACKETS[1].dts - PACKETS[0].dts)
            now_us = time.time_ns() // 1000
            self._publisher.offer(replace(packet, pts=ticks, dts=ticks, capture_us=now_us))
            count += 1
            time.sleep(max(0.0, started_s + count * FRAME_US / 1e6 - time.monotonic()))


@pytest.fixture
def web(house: House) -> Iterator[Web]:
    started = start_web()
    yield started
    started.stop()


@pytest.fixture
def camera(door_publisher: StreamPublisher) -> Iterator[Camera]:
    made = Camera(door_publisher)
    made.start()
    yield made
    made.stop()


def live_address(web: Web, house: House) -> str:
    return web.address(f"/ws/v1/live/{house.stream.pk}", "ws")


async def watch(web: Web, house: House, seconds: float) -> list[float]:
    """Watch as a browser does, and return the age of each message's newest picture, in milliseconds."""
    delays_ms = []
    async with websockets.connect(live_address(web, house), additional_headers=house.alice.bearer) as live:
        assert json.loads(await live.recv())["type"] == "hello"
        await live.recv()
        await live.send('{"credit": 4}')
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = await asyncio.wait_for(live.recv(), 5)
            assert isinstance(message, bytes)
            newest_us = int.from_bytes(message[:8], "big") + (message.count(b"moof") - 1) * FRAME_US
            delays_ms.append((time.time() * 1e6 - newest_us) / 1000)
            await live.send('{"credit": 1}')
    return delays_ms[3:]


def stalled_socket(web: Web, house: House) -> socket.socket:
    """Ask for live video with many credits, and never read."""
    client = socket.create_connection(("127.0.0.1", web.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = (
        f"GET /ws/v1/live/{house.stream.pk} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: {house.alice.bearer['Authorization']}\r\n\r\n"
    )
    client.sendall(request.encode())
    credit = b'{"credit": 32}'
    masked = bytes([0x81, 0x80 | len(credit), 0, 0, 0, 0]) + credit  # a mask of zeros changes nothing
    for _ in range(30):
        client.sendall(masked)
    return client


@in_database_thread
def database_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.mark.slow
async def test_viewers_over_real_sockets(web: Web, house: House, camera: Camera) -> None:
    before = await database_connections()
    async with AsyncExitStack() as stack, httpx.AsyncClient(headers=house.alice.bearer) as client:
        for _ in range(2):
            stream = f"/media/v1/streams/{house.stream.pk}/mjpeg"
            await stack.enter_async_context(client.stream("GET", web.address(stream), timeout=20))
        alone = await watch(web, house, 2)
        stalled = [stalled_socket(web, house) for _ in range(10)]
        memory = web.memory_bytes()
        results = await asyncio.gather(*(watch(web, house, 4) for _ in range(VIEWERS)))
        held = await database_connections() - before
        grown = web.memory_bytes() - memory
        for client_socket in stalled:
            client_socket.close()

    together = [delay for delays in results for delay in delays]
    report = {
        "alone p50 ms": round(statistics.median(alone), 1),
        "alone p95 ms": round(statistics.quantiles(alone, n=20)[-1], 1),
        "together p50 ms": round(statistics.median(together), 1),
        "together p95 ms": round(statistics.quantiles(together, n=20)[-1], 1),
        "connections": held,
        "grown MB": round(grown / 1e6, 1),
    }
    assert statistics.median(alone) < 100, report
    assert statistics.median(together) < 300, report
    assert all(len(delays) > 50 for delays in results), report
    assert held <= 6, report  # the listener and the pool's few, however many watch
    assert grown < STALLED_LIMIT_BYTES, report
    print(report)  # noqa: T201
