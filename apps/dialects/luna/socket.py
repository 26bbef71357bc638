"""`/2/ws?stream_id=…&analytic_index=…`: how a stream is, and what one of its analytics finds, as it happens.

Each message is `{"stream_status", "error", "analytics_results"}`; the first says how the stream is now. What
cannot be had closes the socket: 4400 a bad address, 4401 no login, 4404 nothing that may be seen.
"""

import asyncio
import contextlib
from typing import Any
from urllib.parse import unquote

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError
from django.http import QueryDict

from apps.core.async_database import in_database_thread
from apps.core.exceptions import OmmaError
from apps.core.rights_news import rights_watch
from apps.dialects.boxes import is_token
from apps.dialects.luna.callers import caller_in
from apps.dialects.luna.crowds import teller_of
from apps.dialects.luna.errors import NO_STREAM, LunaError, code_of
from apps.dialects.luna.queries import Query
from apps.dialects.luna.socket_feed import Subscription, socket_feed
from apps.dialects.luna.streams import stream_for
from apps.inference.models import Analytic, AnalyticKind
from apps.streams.life import Life
from apps.streams.live.permission import RECHECK_S, TOO_SLOW, TRY_LATER
from apps.streams.models import Source

HIGHEST_INDEX = 32_767
_FAILING = {Life.FAILURE, Life.RESTART, Life.HANDLER_LOST}


class LunaConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One connection; what it sends is not listened to."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._subscription: Subscription | None = None
        await self.accept()  # before any close, or a browser is not told the code
        try:
            subscription = await _open(self.scope)
        except OmmaError as error:
            await self.close(_close_code(error), error.message[:100])
        except DatabaseError:
            await self.close(TRY_LATER)
        else:
            await self._begin(subscription)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what a client says: the protocol has no word for it."""

    async def disconnect(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._subscription is not None:
            await socket_feed().leave(self._subscription)

    async def _begin(self, subscription: Subscription) -> None:
        self._subscription = subscription
        await socket_feed().join(subscription)
        self._tasks = [asyncio.create_task(self._send_all(subscription)), asyncio.create_task(self._watch())]

    async def _send_all(self, subscription: Subscription) -> None:
        try:
            subscription.begin(*await _status_of(subscription))  # read after joining, so nothing is missed
        except DatabaseError:
            await self.close(TRY_LATER)
            return
        while (text := await subscription.mailbox.next_message()) is not None:
            await self.send(text_data=text)
        await self.close(TOO_SLOW, "too much was waiting")

    async def _watch(self) -> None:
        """Look again whether the stream is there and may be seen."""
        rights = rights_watch()
        seen = rights.generation
        while True:
            await rights.wait(RECHECK_S, since=seen)
            seen = rights.generation
            try:
                await _open(self.scope)
            except OmmaError as error:
                with contextlib.suppress(RuntimeError):
                    await self.close(_close_code(error), error.message[:100])
                return
            except DatabaseError:
                continue  # no news can come either


@in_database_thread
def _open(scope: dict[str, Any]) -> Subscription:
    """Return what a connection asks for, if it may see that now; raise an `OmmaError` if not."""
    key = unquote(scope["url_route"]["kwargs"].get("key", ""))
    query = Query(QueryDict(scope["query_string"]))
    login = scope
    if is_token(key):
        bearer = [(b"authorization", b"Bearer " + key.encode())]
        login = {"headers": bearer, "client": scope.get("client")}
    caller = caller_in(login, key)
    stream_id = query.required_uuid("stream_id")
    index = query.required_number("analytic_index", 0, HIGHEST_INDEX)
    stream = stream_for(caller, stream_id, query.uuid("account_id"))
    analytic = Analytic.objects.filter(stream=stream, number=index).first()
    if analytic is None:
        raise LunaError(NO_STREAM, f"Stream with id {stream_id} has no analytic {index}")
    return Subscription(teller_of(analytic), is_counting=analytic.kind == AnalyticKind.PEOPLE_COUNT)


@in_database_thread
def _status_of(subscription: Subscription) -> tuple[str, str | None]:
    row = Source.objects.filter(streams=subscription.teller.stream_id).first()
    if row is None:
        return Life.UNKNOWN.value, None
    error = (row.life_detail or row.life_code) if row.life in _FAILING else ""
    return row.life, error or None


def _close_code(error: OmmaError) -> int:
    """Return the code for an error: 4000 and its HTTP status."""
    status = code_of(error).status
    return TRY_LATER if status >= 500 else 4000 + status
