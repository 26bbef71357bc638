"""News as it is committed, for the sockets of one process: read once, whoever listens."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

import psycopg
from django.db import Error as DatabaseError

from apps.core import outbox, own_connections
from apps.core.async_database import in_database_thread
from apps.core.outbox import Cursor, OutboxRow

logger = logging.getLogger(__name__)

POLL_S = 1.0
RETRY_S = 1.0
PAGE = 200


class OutboxFollower:
    """Follows the outbox while it runs, woken by NOTIFY; used from one event loop. See `hand_out`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._position = Cursor()
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()

    async def hand_out(self, rows: Sequence[OutboxRow]) -> None:
        """Give news to those who listen; a database that is away raises, and the same rows come again."""
        raise NotImplementedError

    async def start(self) -> Cursor:
        """Begin to read where nobody does yet; return the place after which everything is handed out."""
        async with self._starting:
            if not self._tasks:
                self._position = await _latest()
                self.run_beside(self._follow())
        return self._position

    async def close(self) -> None:
        """Stop reading; `start` begins again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something else for as long as this reads."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)

    async def _follow(self) -> None:
        """Read on whenever somebody has written; a database that is away loses nothing, the place is kept."""
        while True:
            try:
                async with await own_connections.connect_async(self._name) as listener:
                    await listener.execute(f"LISTEN {outbox.CHANNEL}")
                    while True:
                        await self._read_on()
                        await _wait_for_notify(listener)
            except (psycopg.Error, DatabaseError) as error:
                logger.warning("%s: the database is away, trying again: %s", self._name, str(error).strip())
                await asyncio.sleep(RETRY_S)

    async def _read_on(self) -> None:
        """Hand out what is new. The place moves first: who joins meanwhile catches up to it by itself."""
        while rows := await read_page(self._position):
            before, self._position = self._position, rows[-1].cursor
            try:
                await self.hand_out(rows)
            except DatabaseError:
                self._position = before
                raise


async def _wait_for_notify(listener: "psycopg.AsyncConnection[Any]") -> None:
    async for _ in listener.notifies(timeout=POLL_S, stop_after=1):
        pass


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("following the news broke", exc_info=task.exception())


@in_database_thread
def read_page(cursor: Cursor) -> list[OutboxRow]:
    return outbox.read_after(cursor, PAGE)


@in_database_thread
def _latest() -> Cursor:
    return outbox.latest_cursor()
