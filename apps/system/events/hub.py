"""One reader of news per web process, for all of its connections."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence, Set
from contextlib import suppress
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseError

from apps.accounts.access import Action, Actor, Resource, may
from apps.accounts.actors import ANONYMOUS
from apps.core import outbox
from apps.core.async_database import in_database_thread
from apps.core.exceptions import OmmaError
from apps.core.outbox import Cursor, OutboxRow
from apps.core.outbox_following import OutboxFollower, read_page
from apps.core.rights_news import SUBJECTS
from apps.streams.models import Stream
from apps.system.events.detections import DetectionFeed
from apps.system.events.mailbox import Mailbox
from apps.system.events.rendering import render
from apps.system.events.topics import Subscription

__all__ = ["NewsConnection", "NewsHub", "is_forgotten", "news_hub", "read_page", "render_async"]

ActorKey = tuple[str, UUID | None]
Renew = Callable[[], Awaitable[Actor]]


class NewsConnection:
    """One socket: what it wants, who it is, and its mailbox. `renew` loads who it is now."""

    def __init__(self, subscription: Subscription, actor: Actor, renew: Renew) -> None:
        self.subscription = subscription
        self.actor = actor
        self.mailbox = Mailbox()
        self._renew = renew

    async def look_again(self) -> None:
        """Take the rights as they are now; raises the `OmmaError` for which the socket has to be closed."""
        try:
            self.actor = await self._renew()
        except OmmaError:
            self.actor = ANONYMOUS
            raise

    @property
    def key(self) -> ActorKey:
        return self.actor.kind.value, self.actor.id

    def take(self, row: OutboxRow, text: str) -> None:
        if self.subscription.wants(row):
            self.mailbox.put_news(text)

    def may_see(self, camera_id: UUID, resource: Resource) -> bool:
        wanted = self.subscription.camera_ids
        return (not wanted or camera_id in wanted) and bool(may(self.actor, Action.VIEW, resource))


class NewsHub(OutboxFollower):
    """Renders each piece of news once an actor."""

    def __init__(self, bus_url: str) -> None:
        super().__init__("omma events socket")
        self._bus_url = bus_url
        self._connections: set[NewsConnection] = set()
        self._has_feed = False
        self._streams: dict[UUID, Resource] = {}
        self._streams_read_s = float("-inf")

    async def join(self, connection: NewsConnection) -> Cursor:
        """Let a connection in, and return the place from which on it gets everything."""
        position = await self.start()
        if connection.subscription.wants_detections and not self._has_feed:
            self._has_feed = True
            self.run_beside(DetectionFeed(self._bus_url, self._deliver_detection).run())
        self._connections.add(connection)
        return position

    async def leave(self, connection: NewsConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            await self.close()

    async def close(self) -> None:
        self._has_feed = False
        await super().close()

    async def hand_out(self, rows: Sequence[OutboxRow]) -> None:
        await self._look_again({row.account_id for row in rows if row.subject_kind in SUBJECTS})
        by_actor: dict[ActorKey, list[NewsConnection]] = defaultdict(list)
        for connection in self._connections:
            if any(connection.subscription.wants(row) for row in rows):
                by_actor[connection.key].append(connection)
        for connections in by_actor.values():
            wanted = [row for row in rows if any(one.subscription.wants(row) for one in connections)]
            for message in await render_async(wanted, connections[0].actor):
                for connection in connections:
                    connection.take(message.row, message.text)

    async def _look_again(self, accounts: Set[UUID | None]) -> None:
        """Read the rights of these accounts' people anew: they may have changed with the news."""
        for connection in list(self._connections):
            if any(connection.actor.membership_in(one) for one in accounts if one is not None):
                with suppress(OmmaError):  # the socket's own watch closes it
                    await connection.look_again()

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


@in_database_thread
def is_forgotten(cursor: Cursor) -> bool:
    return outbox.is_forgotten(cursor)


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
