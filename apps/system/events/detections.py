"""Detections from the bus, to those who may see the camera. They are no rows: who is away misses them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from apps.streams.bus.backoff import Backoff
from apps.streams.bus.connection import UNREACHABLE, open_async_client
from apps.streams.bus.wire import RESULTS_PATTERN

logger = logging.getLogger(__name__)

Deliver = Callable[[UUID, str], Awaitable[None]]

WAIT_S = 1.0
_PREFIX = '{"type": "detection", '


class DetectionFeed:
    """One subscription to all results, for as long as somebody wants any."""

    def __init__(self, bus_url: str, deliver: Deliver) -> None:
        self._bus_url = bus_url
        self._deliver = deliver

    async def run(self) -> None:
        """Deliver until cancelled; a bus that is away is tried again."""
        client, backoff = open_async_client(self._bus_url), Backoff()
        try:
            while True:
                try:
                    async with client.pubsub(ignore_subscribe_messages=True) as results:
                        await results.psubscribe(RESULTS_PATTERN)
                        while True:
                            message = await results.get_message(timeout=WAIT_S)
                            backoff.reset()
                            if message is not None:
                                await self._take(message["channel"], message["data"])
                except UNREACHABLE as error:
                    logger.debug("results cannot be read: %s", error)
                    await asyncio.sleep(backoff.next_s())
        finally:
            await client.aclose()

    async def _take(self, channel: bytes, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        try:
            stream_id = UUID(channel.decode("ascii", "replace").split(":")[2])
        except (IndexError, ValueError):
            return
        if text.startswith("{") and len(text) > 2:
            await self._deliver(stream_id, _PREFIX + text[1:])
