"""`/ws/v1/live/<stream_id>`: live video as fragmented MP4, with credits.

The server says `{"type": "hello", "codec", "width", "height"}`, then sends an init segment and fragments,
each binary: eight bytes with the capture time in microseconds (0 for an init segment), then MP4. A message
may hold several fragments. Each message but init segments takes a credit; the client grants them:
`{"credit": 4}` as soon as it is connected, and again after each further hello, then `{"credit": 1}` for each
message that it has taken in.
"""

import asyncio
import contextlib
import json
import logging
import time
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError

from apps.core.exceptions import OmmaError
from apps.core.rights_news import rights_watch
from apps.streams.live.gateway import live_gateways
from apps.streams.live.permission import (
    AWAY_S,
    BAD_REQUEST,
    RECHECK_S,
    TOO_SLOW,
    TRY_LATER,
    StreamSight,
    close_code,
    sight_of_async,
)
from apps.streams.live.viewer import MAX_CREDITS, Viewer

logger = logging.getLogger(__name__)

STALLED_S = 12.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One viewer. It needs no channel layer: everything comes from the stream's gateway."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._viewer: Viewer | None = None
        self._status = ""
        self._checked_s = time.monotonic()
        await self.accept()  # before any close, or the browser is not told the code
        try:
            sight = await sight_of_async(self.scope, self._stream_id)
        except OmmaError as error:
            await self.close(close_code(error), error.message)
            return
        except DatabaseError:
            await self.close(TRY_LATER)
            return
        self._viewer = Viewer()
        self._tell_status(sight)
        live_gateways(settings.BUS_URL).join(self._stream_id, self._viewer)
        self._tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._watch())]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        granted = _credit_in(text_data)
        if granted is None:
            await self.close(BAD_REQUEST, "expected a credit")
        elif self._viewer is not None:
            self._viewer.grant(granted)

    async def disconnect(self, code: int) -> None:
        if self._viewer is not None:
            live_gateways(settings.BUS_URL).leave(self._stream_id, self._viewer)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _stream_id(self) -> UUID:
        stream_id: UUID = self.scope["url_route"]["kwargs"]["stream_id"]
        return stream_id

    async def _send_all(self) -> None:
        """Send what the viewer shall get; the server makes this wait while the line is full."""
        while self._viewer is not None:
            message = await self._viewer.next_message()
            if isinstance(message, str):
                await self.send(text_data=message)
            else:
                await self.send(bytes_data=message)

    async def _watch(self) -> None:
        """Ask again whether this may go on, and end what nobody takes in."""
        rights = rights_watch()
        seen = rights.generation
        while True:
            await rights.wait(RECHECK_S, since=seen)
            seen = rights.generation
            code, reason = await self._verdict()
            if code:
                # The sender may be waiting for a line that is full; the close goes past it.
                with contextlib.suppress(RuntimeError):
                    await self.close(code, reason)
                return

    async def _verdict(self) -> tuple[int, str]:
        try:
            self._tell_status(await sight_of_async(self.scope, self._stream_id))
        except OmmaError as error:
            return close_code(error), error.message
        except DatabaseError:
            if time.monotonic() - self._checked_s > AWAY_S:
                return TRY_LATER, ""
        else:
            self._checked_s = time.monotonic()
        if self._viewer is not None and self._viewer.stalled_s > STALLED_S:
            return TOO_SLOW, "nothing was taken in"
        return 0, ""

    def _tell_status(self, sight: StreamSight) -> None:
        """Say how the source is when that changed; one that is live from the start goes without saying."""
        is_news = sight.status != (self._status or "live")
        self._status = sight.status
        if is_news and self._viewer is not None:
            self._viewer.say(
                {
                    "type": "state",
                    "state": sight.status,
                    "code": sight.status_code,
                    "reason": sight.status_detail,
                }
            )


def _credit_in(text: str | None) -> int | None:
    """Return the credit that a client's message grants; None when it is no such message."""
    try:
        message: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    credit = message.get("credit") if isinstance(message, dict) else None
    if not isinstance(credit, int) or isinstance(credit, bool) or credit < 1:
        return None
    return min(credit, MAX_CREDITS)
