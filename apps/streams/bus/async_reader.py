"""Reads packets from the bus, from an event loop: the twin of `reader`."""

import asyncio
import secrets
import time
from uuid import UUID

import redis.asyncio

from apps.streams.bus.backoff import Backoff
from apps.streams.bus.connection import UNREACHABLE, open_async_client
from apps.streams.bus.reading import (
    READ_COUNT,
    RENEW_EVERY_S,
    SILENCE_S,
    BusItem,
    Position,
    as_reply,
    newest_of,
)
from apps.streams.bus.wire import (
    DEMAND_EXPIRY_MS,
    WAKE_CHANNEL,
    EntryId,
    demand_key,
    encode_demand,
    packets_key,
)
from omma_engine.ports import DemandLevel


def connect(url: str) -> "AsyncReaders":
    """Return a factory of readers, which share one pool of connections of the running event loop."""
    return AsyncReaders(open_async_client(url))


class AsyncReaders:
    """Makes readers of one bus; `close` when none of them is used any more."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client

    def __call__(self, stream_id: UUID, level: DemandLevel) -> "AsyncBusReader":
        return AsyncBusReader(self._client, stream_id, level)

    async def close(self) -> None:
        await self._client.aclose()


class AsyncBusReader:
    """One reader of one stream; used by one task at a time."""

    def __init__(self, client: "redis.asyncio.Redis", stream_id: UUID, level: DemandLevel) -> None:
        self._client = client
        self._stream_id = stream_id
        self._reader_id = secrets.token_hex(8)
        self._position = Position(stream_id, level)
        self._backoff = Backoff()
        self._renewed_s = float("-inf")
        self._heard_s = time.monotonic()

    @property
    def missed(self) -> int:
        return self._position.missed

    def set_level(self, level: DemandLevel) -> None:
        """Change what is wanted; it takes effect with the next `read`."""
        if level is not self._position.level:
            self._position.set_level(level)
            self._renewed_s = float("-inf")

    async def read(self, timeout_s: float) -> list[BusItem]:
        """Return what has come, or nothing after the timeout; the demand is renewed on the way."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = deadline - time.monotonic()
            try:
                items = await self._read_once(max(0.0, min(left_s, RENEW_EVERY_S)))
                self._backoff.reset()
            except UNREACHABLE:
                items = []
                self._renewed_s = float("-inf")
                await asyncio.sleep(max(0.0, min(left_s, self._backoff.next_s())))
            if items or time.monotonic() >= deadline:
                return items

    async def close(self) -> None:
        """Withdraw the demand, so that publishing ends at once and not when it expires."""
        try:
            await self._client.hdel(demand_key(self._stream_id), self._reader_id)
        except UNREACHABLE:
            return

    async def _read_once(self, wait_s: float) -> list[BusItem]:
        now_s = time.monotonic()
        if now_s - self._renewed_s >= RENEW_EVERY_S:
            await self._renew()
        if self._position.last is None:
            self._position.start_at(await self._newest())
        elif now_s - self._heard_s > SILENCE_S:
            self._position.check_newest(await self._newest())
            self._heard_s = now_s
        block_ms = int(wait_s * 1000)
        reply = await self._client.xread(self._position.keys(), count=READ_COUNT, block=block_ms or None)
        if reply:
            self._heard_s = time.monotonic()
        return self._position.accept(as_reply(reply))

    async def _renew(self) -> None:
        is_news = self._renewed_s == float("-inf")
        seconds, micros = await self._client.time()
        expiry_ms = seconds * 1000 + micros // 1000 + DEMAND_EXPIRY_MS
        pipe = self._client.pipeline(transaction=False)
        pipe.hset(
            demand_key(self._stream_id), self._reader_id, encode_demand(self._position.level, expiry_ms)
        )
        pipe.pexpire(demand_key(self._stream_id), 6 * DEMAND_EXPIRY_MS)
        if is_news:
            pipe.publish(WAKE_CHANNEL, str(self._stream_id))
        await pipe.execute()
        self._renewed_s = time.monotonic()

    async def _newest(self) -> EntryId | None:
        newest = await self._client.xrevrange(packets_key(self._stream_id), count=1)
        return newest_of(newest)
