"""Listens to the results of one stream, from an event loop."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from apps.streams.bus.backoff import Backoff
from apps.streams.bus.connection import UNREACHABLE, open_async_client
from apps.streams.bus.wire import results_channel

logger = logging.getLogger(__name__)

WAIT_S = 1.0


async def follow_results(url: str, stream_id: UUID, take: Callable[[dict[str, Any]], None]) -> None:
    """Call `take` with each result until cancelled; a bus that is away is tried again."""
    client, backoff = open_async_client(url), Backoff()
    try:
        while True:
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as results:
                    await results.subscribe(results_channel(stream_id))
                    while True:
                        message = await results.get_message(timeout=WAIT_S)
                        backoff.reset()
                        if message is not None:
                            take(json.loads(message["data"]))
            except (*UNREACHABLE, ValueError) as error:
                logger.debug("results of %s cannot be read: %s", stream_id, error)
                await asyncio.sleep(backoff.next_s())
    finally:
        await client.aclose()
