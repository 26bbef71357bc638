"""`/ws/v1/events?topics=…&camera=…&cursor=…`: news of everything that the connection may see.

First `{"type": "ready", "cursor"}`, or `{"type": "reset", "cursor"}` where the cursor is too old: then
everything has to be read anew. Each piece of news is `{"type", "kind", "cursor", "id", "data"}`, `data` being
what the API answers for the row, or null after a deletion. Detections have no cursor. `{"type": "ping"}` gets
a pong.
"""

import asyncio
import contextlib
import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError

from apps.accounts.access import Actor, actor_of
from apps.core.async_database import in_database_thread
from apps.core.exceptions import ForbiddenError, NotAuthenticatedError, OmmaError
from apps.core.outbox import Cursor
from apps.core.rights_news import rights_watch
from apps.streams.live.permission import (
    BAD_REQUEST,
    RECHECK_S,
    TOO_SLOW,
    TRY_LATER,
    close_code,
)
from apps.system.events.hub import NewsConnection, is_forgotten, news_hub, read_page, render_async
from apps.system.events.topics import BadSubscriptionError, Subscription, subscription_of


class EventsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One connection. Everything comes from the process's hub, so it needs no channel layer."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: NewsConnection | None = None
        await self.accept()  # before any close, or the browser is not told the code
        try:
            subscription = subscription_of(self.scope["query_string"])
            actor = await _actor_behind(self.scope)
        except BadSubscriptionError as error:
            await self._say({"type": "error", "code": error.code, "message": str(error)})
            await self.close(BAD_REQUEST, str(error))
        except OmmaError as error:
            await self.close(close_code(error), error.message)
        except DatabaseError:
            await self.close(TRY_LATER)
        else:
            await self._begin(subscription, actor)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if _is_ping(text_data):
            await self._say({"type": "pong"})
        else:
            await self._say({"type": "error", "code": "unknown_message", "message": "Only pings are taken."})
            await self.close(BAD_REQUEST)

    async def disconnect(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await news_hub(settings.BUS_URL).leave(self._connection)

    async def _begin(self, subscription: Subscription, actor: Actor) -> None:
        self._connection = NewsConnection(subscription, actor, lambda: _actor_behind(self.scope))
        upto = await news_hub(settings.BUS_URL).join(self._connection)
        self._tasks = [
            asyncio.create_task(self._send_all(self._connection, upto)),
            asyncio.create_task(self._watch(self._connection)),
        ]

    async def _send_all(self, connection: NewsConnection, upto: Cursor) -> None:
        """Send what was missed since the cursor, then everything as it comes."""
        try:
            await self._catch_up(connection, upto)
        except DatabaseError:
            await self.close(TRY_LATER)
            return
        while (text := await connection.mailbox.next_message()) is not None:
            await self.send(text_data=text)
        await self.close(TOO_SLOW, "too much was waiting")

    async def _catch_up(self, connection: NewsConnection, upto: Cursor) -> None:
        cursor = connection.subscription.cursor
        if cursor is None:
            await self._say({"type": "ready", "cursor": str(upto)})
            return
        if await is_forgotten(cursor):
            await self._say({"type": "reset", "cursor": str(upto)})
            return
        await self._say({"type": "ready", "cursor": str(cursor)})
        while rows := [row for row in await read_page(cursor) if row.cursor <= upto]:
            wanted = [row for row in rows if connection.subscription.wants(row)]
            for message in await render_async(wanted, connection.actor):
                await self.send(text_data=message.text)
            cursor = rows[-1].cursor

    async def _watch(self, connection: NewsConnection) -> None:
        """Look again who this is and what it may see now."""
        rights = rights_watch()
        seen = rights.generation
        while True:
            await rights.wait(RECHECK_S, since=seen)
            seen = rights.generation
            try:
                await connection.look_again()
            except OmmaError as error:
                with contextlib.suppress(RuntimeError):
                    await self.close(close_code(error), error.message)
                return
            except DatabaseError:
                continue  # no news can come either

    async def _say(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))


@in_database_thread
def _actor_behind(scope: Any) -> Actor:
    actor = actor_of(scope)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    if not (actor.is_superuser or actor.memberships):
        raise ForbiddenError("You are a member of no account.")
    return actor


def _is_ping(text: str | None) -> bool:
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.get("type") == "ping"
