"""One reader of news per web process, for all of its connections."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.db import Error as DatabaseError

from apps.accounts.access import Action, Actor, Resource, may
from apps.core import outbox, own_connections
from apps.core.async_database import in_database_thread
from apps.core.outbox import Cursor, OutboxRow
from apps.streams.models import Stream
from apps.system.events.detections import DetectionFeed
from apps.system.events.mailbox import Mailbox
from apps.system.events.rendering import render
from apps.system.events.topics import Subscription

logger = logging.getLogger(__name__)

POLL_S = 1.0
RETRY_S = 1.0
PAGE = 200

ActorKey = tuple[str, UUID | None]


class NewsConnection:
    """One socket: what it wants, who it is (renewed now and then), and its mailbox."""

    def __init__(self, subscription: Subscription, actor: Actor) -> None:
        self.subscription = subscription
        self.actor = actor
        self.mailbox = Mailbox()

    @property
    def key(self) -> ActorKey:
        return self.actor.kind.value, self.actor.id

    def take(self, row: OutboxRow, text: str) -> None:
        if self.subscription.wants(row):
            self.mailbox.put_news(text)

    def may_see(self, camera_id: UUID, resource: Resource) -> bool:
        wanted = self.subscription.camera_ids
        return (not wanted or camera_id in wanted) and bool(may(self.actor, Action.VIEW, resource))


class NewsHub:
    """Reads the outbox once, woken by NOTIFY, and renders each row once an actor."""

    def __init__(self, bus_url: str) -> None:
        self._bus_url = bus_url
        self._connections: set[NewsConnection] = set()
        self._position = Cursor()
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()
        self._streams: dict[UUID, Resource] = {}
        self._streams_read_s = float("-inf")

    async def join(self, connection: NewsConnection) -> Cursor:
        """Let a connection in, and return the place from which on it gets everything."""
        async with self._starting:
            if not self._tasks:
                self._position = await _latest()
                self._start(self._follow_news())
            if connection.subscription.wants_detections and len(self._tasks) < 2:
                self._start(DetectionFeed(self._bus_url, self._deliver_detection).run())
        self._connections.add(connection)
        return self._position

    async def leave(self, connection: NewsConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            await self.close()

    async def close(self) -> None:
        """Stop reading; the next connection starts it again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)

    async def _follow_news(self) -> None:
        """Read on whenever somebody has written; a database that is away loses nothing, the place is kept."""
        while True:
            try:
                async with await own_connections.connect_async("omma events socket") as listener:
                    await listener.execute(f"LISTEN {outbox.CHANNEL}")
                    while True:
                        await self._read_on()
                        await _wait_for_notify(listener)
            except (psycopg.Error, DatabaseError) as error:
                logger.warning("events: the database is away, trying again: %s", str(error).strip())
                await asyncio.sleep(RETRY_S)

    async def _read_on(self) -> None:
        """Hand out what is new. The place moves first: who joins meanwhile catches up to it by itself."""
        while rows := await read_page(self._position):
            before, self._position = self._position, rows[-1].cursor
            try:
                await self._hand_out(rows)
            except DatabaseError:
                self._position = before
                raise

    async def _hand_out(self, rows: Sequence[OutboxRow]) -> None:
        by_actor: dict[ActorKey, list[NewsConnection]] = defaultdict(list)
        for connection in self._connections:
            if any(connection.subscription.wants(row) for row in rows):
                by_actor[connection.key].append(connection)
        for connections in by_actor.values():
            wanted = [row for row in rows if any(one.subscription.wants(row) for one in connections)]
            for message in await render_async(wanted, connections[0].actor):
                for connection in connections:
                    connection.take(message.row, message.text)

    async def _deliver_detection(self, stream_id: UUID, text: str) -> None:
        interested = [one for one in self._connections if one.subscription.wants_detections]
        resource = await self._resource_of(stream_id) if interested else None
        if resource is None:
            return
        (camera_id,) = resource.camera_ids
        for connection in interested:
            if connection.may_see(camera_id, resource):
                connection.mailbox.put_detection(text)

    async def _resource_of(self, stream_id: UUID) -> Resource | None:
        """Return whose stream this is; streams do not change owners, so it is read once in a while."""
        if stream_id not in self._streams and time.monotonic() - self._streams_read_s > 1.0:
            self._streams_read_s = time.monotonic()
            with suppress(DatabaseError):
                self._streams = await _all_streams()
        return self._streams.get(stream_id)


async def _wait_for_notify(listener: "psycopg.AsyncConnection[Any]") -> None:
    async for _ in listener.notifies(timeout=POLL_S, stop_after=1):
        pass


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("the events hub broke", exc_info=task.exception())


@in_database_thread
def read_page(cursor: Cursor) -> list[OutboxRow]:
    return outbox.read_after(cursor, PAGE)


@in_database_thread
def is_forgotten(cursor: Cursor) -> bool:
    return outbox.is_forgotten(cursor)


@in_database_thread
def _latest() -> Cursor:
    return outbox.latest_cursor()


render_async = in_database_thread(render)


@in_database_thread
def _all_streams() -> dict[UUID, Resource]:
    rows = Stream.objects.values_list("pk", "account_id", "camera_id")
    return {pk: Resource(account_id, frozenset({camera_id})) for pk, account_id, camera_id in rows}


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, NewsHub] = WeakKeyDictionary()


def news_hub(bus_url: str) -> NewsHub:
    """Return the hub of the running event loop; a web process has one loop, and so one reader of news."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = NewsHub(bus_url)
    return _by_loop[loop]
